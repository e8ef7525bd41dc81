/** A log read from its beginning on, whatever becomes of its files meanwhile. */
import { appendFile, copyFile, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BatchRecord, LogPlace, LogReader, RecordLog } from '../../src/types.ts';
import { logFolder, type LogFolder } from './log-folder.ts';
import { recordItem } from '../contracts/follower.ts';

const never = new AbortController().signal;
const MOST = { items: 3, bytes: 1_000_000, pictures: false };
const record = (number: number, more: object = {}): BatchRecord => ({ ...recordItem(number).value, ...more }) as unknown as BatchRecord;
const ids = (from: number, to: number): readonly string[] => Array.from({ length: to - from + 1 }, (_, at) => recordItem(from + at).id);

let folder: LogFolder;
let log: RecordLog;

beforeEach(async () => {
  folder = await logFolder();
  log = await folder.open();
});
afterEach(async () => {
  await log.close();
  await folder.remove();
});

async function append(from: number, to = from): Promise<void> {
  for (let number = from; number <= to; number += 1) await log.append([record(number)], never);
}

/** All that is behind the place. */
async function rest(reader: LogReader, from: LogPlace): Promise<{ readonly found: readonly string[]; readonly place: LogPlace }> {
  const found: string[] = [];
  let place = from;
  for (let { items, place: next } = await reader.read(place, MOST); items.length > 0; { items, place: next } = await reader.read(place, MOST)) {
    found.push(...items.map(({ id }) => id));
    place = next;
  }
  return { found, place };
}

describe('a reader', () => {
  it('begins where it is asked to', async () => {
    const reader = log.reader();
    expect(await rest(reader, await reader.resolve('now'))).toMatchObject({ found: [] });
    await append(1, 5);
    expect((await rest(log.reader(), await reader.resolve('beginning'))).found).toEqual(ids(1, 5));
    expect((await rest(log.reader(), await reader.resolve('now'))).found).toEqual([]);
    expect((await rest(log.reader(), await reader.resolve(recordItem(3).time ?? ''))).found).toEqual(ids(3, 5));
    expect((await rest(log.reader(), await reader.resolve('2999-01-01T00:00:00Z'))).found).toEqual([]);
  });

  it('goes on with what is appended, counts what is left, and shows pictures only when asked', async () => {
    await log.append([record(1, { basic: { camID: 'gate', frame_base64: 'AAAA' } })], never);
    const reader = log.reader();
    const begin = await reader.resolve('beginning');
    expect(await reader.remaining(begin)).toBe(1);
    const { items, place } = await reader.read(begin, { ...MOST, pictures: true });
    expect(items[0]).toMatchObject({ log: 'records', id: recordItem(1).id, camera_id: 'gate', value: { basic: { frame_base64: 'AAAA' } } });
    expect((await log.reader().read(begin, MOST)).items[0]?.value['basic']).toEqual({ camID: 'gate' });
    await append(2, 8);
    expect(await reader.remaining(place)).toBe(7);
    expect((await rest(reader, place)).found).toEqual(ids(2, 8));
  });

  it('counts what is behind any place that it gave, without reading what stands before', async () => {
    await append(1, 6);
    const reader = log.reader();
    const begin = await reader.resolve('beginning');
    const { places } = await reader.read(begin, { ...MOST, items: 5 });
    // As each line of the index is.
    const parse = vi.spyOn(JSON, 'parse');
    const counts = await Promise.all([begin, ...places].map((place) => reader.remaining(place)));
    const parsed = parse.mock.calls.length;
    parse.mockRestore();
    expect([counts, parsed]).toEqual([[6, 5, 4, 3, 2, 1], 0]);
  });

  it('counts of what it has counted only what is new, and what was read since', async () => {
    await append(1, 6);
    const reader = log.reader();
    const begin = await reader.resolve('beginning');
    const { places } = await reader.read(begin, MOST);
    expect(await reader.remaining(begin)).toBe(6);
    // Whoever counts it again misses one.
    const index = join(folder.folder, 'records.idx');
    const lines = (await readFile(index, 'utf8')).split('\n');
    await writeFile(index, lines.map((line, at) => (at === 4 ? line.replace('[', ' ') : line)).join('\n'));
    await append(7);
    expect([await log.reader().remaining(begin), await reader.remaining(begin), await reader.remaining(places[2] ?? begin)]).toEqual([6, 7, 4]);
    expect(await reader.remaining(begin), 'back at the beginning').toBe(6);
    await log.close();
    log = await folder.open({ rotate_bytes: 1 });
    await append(8, 9);
    expect(await reader.remaining(begin), 'rotated').toBe(await log.reader().remaining(begin));
  });

  it('gives no more than it may', async () => {
    await append(1, 8);
    const reader = log.reader();
    const { items } = await reader.read(await reader.resolve('beginning'), { items: 100, bytes: 2 * recordItem(1).bytes, pictures: false });
    expect(items.length).toBeGreaterThan(0);
    expect(items.length).toBeLessThanOrEqual(3);
  });

  it.each([['a reader that goes on', true], ['a new reader', false]])('crosses files that are rotated and gzipped: %s', async (_, goesOn) => {
    await log.close();
    log = await folder.open({ rotate_bytes: 2500, rotate_gzip: true });
    const first = log.reader();
    let place = await first.resolve('beginning');
    const found: string[] = [];
    for (let number = 1; number <= 24; number += 1) {
      await append(number);
      if (number % 3 > 0) continue;
      const more = await rest(goesOn ? first : log.reader(), place);
      found.push(...more.found);
      ({ place } = more);
    }
    expect((await folder.named('predictions-')).length).toBeGreaterThan(2);
    expect(found).toEqual(ids(1, 24));
    expect((await rest(log.reader(), await first.resolve('beginning'))).found).toEqual(ids(1, 24));
  });

  it('looks no further back for its place than the file that it is in, however often the file is rotated', async () => {
    await log.close();
    log = await folder.open({ rotate_bytes: 1 });
    await append(1, 2);
    const reader = log.reader();
    let { place } = await rest(reader, await reader.resolve('beginning'));
    await writeFile(join(folder.folder, 'predictions-20200101T000000000Z.json'), '');
    // Whoever opens it fails.
    await mkdir(join(folder.folder, 'records-20200101T000000000Z.idx'));
    for (const number of [3, 4]) {
      await append(number);
      const more = await rest(reader, place);
      expect(more.found).toEqual(ids(number, number));
      ({ place } = more);
    }
  });

  it('begins at any time and behind all, wherever files were rotated', async () => {
    await log.close();
    log = await folder.open({ rotate_bytes: 1500 });
    await append(1, 9);
    expect((await folder.named('predictions-')).length).toBeGreaterThan(2);
    for (let number = 1; number <= 9; number += 1) {
      const place = await log.reader().resolve(recordItem(number).time ?? '');
      expect((await rest(log.reader(), place)).found, String(number)).toEqual(ids(number, 9));
    }
    // The current file is empty, as after a crash in the middle of a rotation.
    await log.close();
    await rename(join(folder.folder, 'predictions.json'), join(folder.folder, 'predictions-29990101T000000000Z.json'));
    log = await folder.open();
    expect((await rest(log.reader(), await log.reader().resolve('now'))).found).toEqual([]);
  });

  it.each([['has read some of', 2], ['has seen empty', 0]])('knows a file that it %s from the next one, whose index has the number that the index of this one had', async (_, number) => {
    const [file, index, kept] = ['predictions.json', 'records.idx', 'kept'].map((name) => join(folder.folder, name)) as [string, string, string];
    const reader = log.reader();
    const begin = await reader.resolve('beginning');
    if (number > 0) await append(1, 4);
    const { place } = await reader.read(begin, { ...MOST, items: 2 });
    if (number === 0) await append(1, 4);
    await link(index, kept);
    for (const path of [file, index]) await copyFile(path, path.replace('.', '-20260101T000000000Z.'));
    await rm(file);
    await append(5, 8);
    await copyFile(index, kept);
    await rename(kept, index);
    expect((await rest(reader, place)).found).toEqual(ids(number + 1, 8));
  });

  it('knows records that others wrote by their bytes', async () => {
    await log.close();
    await writeFile(join(folder.folder, 'predictions.json'), '[\n{"camID": "old", "n": 1},\n{"camID": "old", "n": 2}\n]\n');
    log = await folder.open();
    const reader = log.reader();
    const { items, place } = await reader.read(await reader.resolve('beginning'), { ...MOST, items: 1 });
    expect(items[0]).toMatchObject({ id: expect.stringMatching(/^sha256-[0-9a-f]{64}$/) as string, camera_id: 'old', time: null, value: { n: 1 } });
    expect((await log.reader().read(place, MOST)).items.map(({ value }) => value['n'])).toEqual([2]);
  });

  it('reads numbers that JSON has not as null, and says how many before an item cannot be read', async () => {
    await log.close();
    const deep = '['.repeat(6000) + ']'.repeat(6000);
    await writeFile(join(folder.folder, 'predictions.json'), `[\n{"n": 1, "Latitude": NaN},\n{"deep": ${deep}},\n{"n": 2, "Latitude": -Infinity}\n]\n`);
    log = await folder.open();
    const reader = log.reader();
    const { place, ...first } = await reader.read(await reader.resolve('beginning'), MOST);
    expect(first).toMatchObject({ unreadable: 0, items: [{ value: { n: 1, Latitude: null } }] });
    expect(await reader.read(place, MOST)).toMatchObject({ unreadable: 1, items: [{ value: { n: 2, Latitude: null } }], place: { items: 3 } });
  });

  it('finds its place again in a file that was written anew, by the id', async () => {
    await append(1, 6);
    const reader = log.reader();
    const { place } = await reader.read(await reader.resolve('beginning'), { ...MOST, items: 4 });
    await log.close();
    const all = JSON.parse(await readFile(join(folder.folder, 'predictions.json'), 'utf8')) as unknown[];
    await writeFile(join(folder.folder, 'predictions.json'), JSON.stringify(all.slice(2), null, 1));
    log = await folder.open();
    expect((await rest(log.reader(), place)).found).toEqual(ids(5, 6));
  });

  it('goes on after the time of what it cannot find, and says so', async () => {
    await append(1, 6);
    const reader = log.reader();
    const { place } = await reader.read(await reader.resolve('beginning'), { ...MOST, items: 4 });
    await log.close();
    const all = JSON.parse(await readFile(join(folder.folder, 'predictions.json'), 'utf8')) as unknown[];
    await writeFile(join(folder.folder, 'predictions.json'), JSON.stringify([...all.slice(0, 2), ...all.slice(4)], null, 1));
    log = await folder.open();
    expect(await log.reader().read({ ...place, volume: 'of another' }, MOST)).toMatchObject({ mended: { items: 2, last: recordItem(2).id }, items: [{ id: recordItem(5).id }, { id: recordItem(6).id }] });
    expect((await log.reader().read({ volume: 'x', items: 7, last: 'y', time: null }, MOST))).toMatchObject({ mended: { items: 4 }, items: [] });
    expect((await log.reader().read({ ...place, items: 900 }, MOST))).toMatchObject({ mended: { items: 2 } });
    expect((await log.reader().read(await log.reader().resolve('now'), MOST))).toMatchObject({ mended: null });
  });

  it('goes on when the file was removed, and when there is no index', async () => {
    await append(1, 3);
    const reader = log.reader();
    const { place } = await rest(reader, await reader.resolve('beginning'));
    await rm(join(folder.folder, 'predictions.json'));
    await append(4, 5);
    expect((await rest(reader, place)).found).toEqual(ids(4, 5));
    await rm(join(folder.folder, 'records.idx'));
    expect((await rest(log.reader(), place)).found).toEqual([]);
    await append(6);
    expect((await rest(log.reader(), place)).found).toEqual(ids(6, 6));
  });

  it('goes on when the oldest file goes while it is looked at, its index before it', async () => {
    await append(1);
    const oldest = join(folder.folder, 'predictions-20260101T000000000Z.json');
    await rename(join(folder.folder, 'predictions.json'), oldest);
    await rm(join(folder.folder, 'records.idx'));
    const reader = log.reader();
    const begin = await reader.resolve('beginning');
    expect((await rest(reader, begin)).found).toEqual([]);
    await rm(oldest);
    await append(2);
    expect((await rest(reader, begin)).found).toEqual(ids(2, 2));
  });

  it('takes no line of the index that is on its way', async () => {
    await append(1, 2);
    await appendFile(join(folder.folder, 'records.idx'), '[12,34,"half');
    expect((await rest(log.reader(), await log.reader().resolve('beginning'))).found).toEqual(ids(1, 2));
  });

  it('leaves a gzipped file of others alone that it cannot read', async () => {
    await append(1, 2);
    await rename(join(folder.folder, 'predictions.json'), join(folder.folder, 'predictions-20260101T000000000Z.json'));
    await writeFile(join(folder.folder, 'predictions-20260101T000000000Z.json.gz'), gzipSync('nothing'));
    await append(3);
    expect((await rest(log.reader(), await log.reader().resolve('beginning'))).found).toContain(recordItem(3).id);
  });

  it('finds what is in a rotated file that somebody edits, and so does who asks for the newest', async () => {
    await log.close();
    log = await folder.open({ rotate_bytes: 8000 });
    await append(1, 40);
    const reader = log.reader();
    const { items, place } = await reader.read(await reader.resolve('beginning'), MOST);
    const [oldest = '', ...others] = await folder.named('predictions-');
    expect(others.length).toBeGreaterThan(0);
    const text = await folder.text(oldest);
    // The time of a file is as coarse as a tick of the system's clock.
    await setTimeout(20);
    await writeFile(join(folder.folder, oldest), text.replaceAll('"camID":"', '"camID":"the-old-'));
    const seen = [...items.map(({ id }) => id), ...(await rest(reader, place)).found];
    expect(seen).toEqual(ids(1, 40));
    const newest = await log.read({ limit: 100, pictures: false }) as unknown as readonly BatchRecord[];
    expect(newest.map(({ batch }) => batch.id)).toEqual(ids(1, 40).toReversed());
    expect(newest.at(-1)).toMatchObject({ basic: { camID: expect.stringMatching(/^the-old-/) as string } });
    // One record less, and for whoever asks first it is the page.
    await setTimeout(20);
    const lines = (await folder.text(oldest)).split('\n');
    await writeFile(join(folder.folder, oldest), lines.toSpliced(2, 1).join('\n'));
    expect(await log.read({ limit: 100, pictures: false })).toHaveLength(39);
    expect((await rest(reader, await reader.resolve('beginning'))).found).toEqual(ids(1, 40).toSpliced(1, 1));
    expect(folder.warnings).toEqual([]);
  });
});
