/** The index finds exactly what is wanted, whatever the order of the records, and does not read what is not. */
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { appendToIndex, mendIndex, newestFirst, replaceIndex, type IndexEntry, sumUpTheRest } from '../../src/log/index-file.ts';
import { isWanted, type Wanted } from '../../src/log/wanted.ts';
import { logFolder, type LogFolder } from './log-folder.ts';

let at: LogFolder;
let index: string;

beforeEach(async () => {
  at = await logFolder();
  index = join(at.folder, 'records.idx');
});
afterEach(() => at.remove());

const START = Date.parse('2026-01-01T00:00:00Z');
const MINUTE = 60_000;
const COUNT = 6000;

/** A record a minute, with what years bring: late ones, a clock that was years ahead for a while and one that was set back, none at all. */
const ENTRIES: readonly IndexEntry[] = Array.from({ length: COUNT }, (_, number) => {
  const late = number % 7 === 0 ? (number % 500) * MINUTE : 0;
  const ahead = number > 1000 && number < 1010 ? 10 * 365 * 1440 * MINUTE : 0;
  const back = number > 4000 ? 2000 * MINUTE : 0;
  const time = new Date(START + number * MINUTE - late + ahead - back).toISOString();
  return {
    offset: number, length: 1, id: `batch-${number}-${'0'.repeat(60)}`,
    camera: number === 77 ? 'seldom' : `CAM-straße-${number % 20}`,
    time: number % 100 === 50 ? null : number % 100 === 51 ? 'no time' : time,
    models: number < 3000 ? ['animals'] : ['animals', `model-${number % 3}`],
  };
});

const minutes = (number: number): number => START + number * MINUTE;
const WANTED: readonly Wanted[] = [
  {}, { since: minutes(0) }, { since: minutes(1500) }, { since: minutes(3999) }, { since: minutes(5999) }, { since: minutes(3500), camera: 'CAM-straße-3' },
  { since: Date.parse('2030-01-01T00:00:00Z') }, { since: Date.parse('2040-01-01T00:00:00Z') },
  { camera: 'seldom' }, { camera: 'nobody' }, { model: 'model-2' }, { model: 'animals', camera: 'CAM-straße-19' }, { model: 'lions' },
];

async function found(wanted: Wanted): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of newestFirst(index, wanted)) ids.push(id);
  return ids;
}

async function expectExact(entries: readonly IndexEntry[]): Promise<void> {
  for (const wanted of WANTED) {
    const ids = entries.filter((entry) => isWanted(entry, wanted)).map(({ id }) => id).reverse();
    expect(await found(wanted), JSON.stringify(wanted)).toEqual(ids);
  }
}

const summaries = async (): Promise<number> => (await readFile(index, 'utf8')).split('\n').filter((line) => line.startsWith('{')).length;

it('finds exactly what is wanted when it was written at once', async () => {
  await replaceIndex(index, ENTRIES);
  expect(await summaries()).toBeGreaterThan(3);
  await expectExact(ENTRIES);
});

it('finds the same when it was appended to, in pieces of any size, and cut off by a crash', async () => {
  await replaceIndex(index, ENTRIES.slice(0, 10));
  await appendToIndex(index, ENTRIES.slice(10, 2500));
  for (const entry of ENTRIES.slice(2500, 2600)) await appendToIndex(index, [entry]);
  await appendToIndex(index, ENTRIES.slice(2600, 4500));
  expect(await summaries()).toBeGreaterThan(2);
  await truncate(index, (await readFile(index)).length - 20);
  await mendIndex(index);
  const whole = ENTRIES.slice(0, 4499);
  expect((await found({})).length).toBe(whole.length);
  await appendToIndex(index, ENTRIES.slice(4499));
  await expectExact(ENTRIES);
});

it('gives an index of before there were summaries its own, and keeps what stands in it', async () => {
  const lines = ENTRIES.map(({ offset, length, id, camera, time, models }) => `${JSON.stringify([offset, length, id, camera, time, models])}\n`);
  await writeFile(index, lines.join(''));
  await expectExact(ENTRIES);
  await sumUpTheRest(index, 1);
  expect(await summaries()).toBeGreaterThan(3);
  await expectExact(ENTRIES);
});

it('passes over a summary that is damaged', async () => {
  await replaceIndex(index, ENTRIES);
  for (const damage of [
    (line: string) => line.slice(0, 40), (line: string) => line.replace(/"bytes":\d+/, '"bytes":99999999'), (line: string) => line.replace(/"bytes":\d+/, '"bytes":0'),
    (line: string) => line.replace(/"cameras":\[.*?\]/, '"cameras":null'), (line: string) => line.replace(/"latest":\d+/, '"latest":"1"'), () => '{}',
  ]) {
    const text = await readFile(index, 'utf8');
    await writeFile(index, text.split('\n').map((line) => (line.startsWith('{') ? damage(line) : line)).join('\n'));
    await expectExact(ENTRIES);
    await writeFile(index, text);
  }
});

it('does not read what a summary rules out', async () => {
  const orderly = ENTRIES.filter(({ offset }) => offset < 1000 || (offset > 1100 && offset <= 4000));
  await replaceIndex(index, orderly);
  // Were they read, these would be found.
  const text = await readFile(index, 'utf8');
  await writeFile(index, text.replaceAll(/^\[([1-9]\d{0,2}),1,"batch-[^"]+","CAM-straße-\d",.*$/gm, (line) => line.replace(/CAM-straße-\d/, 'CAM-straße-X').replace('"2026', '"2029')));
  expect(await found({ camera: 'CAM-straße-X' })).toEqual([]);
  expect(await found({ since: Date.parse('2029-01-01T00:00:00Z') })).toEqual([]);
  expect(await found({ camera: 'CAM-straße-3', since: minutes(3999) })).toEqual([]);
  expect((await found({ camera: 'CAM-straße-3', since: minutes(3900) })).length).toBeGreaterThan(0);
});
