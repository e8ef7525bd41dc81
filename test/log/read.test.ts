import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withoutPicture } from '../../src/log/describe.ts';
import { readRecords } from '../../src/log/read.ts';
import { currentVolume } from '../../src/log/shelf.ts';
import type { BatchRecord, Json, RecordQuery } from '../../src/types.ts';
import { dumpLikePython, FLASK_RECORDS } from './flask-records.ts';
import { sampleRecord } from './sample-record.ts';
import { logFolder, type LogFolder } from './log-folder.ts';

const never = new AbortController().signal;
let at: LogFolder;

beforeEach(async () => {
  at = await logFolder();
});
afterEach(() => at.remove());

async function write(records: readonly BatchRecord[], settings?: Parameters<LogFolder['open']>[0]): Promise<void> {
  const log = await at.open(settings);
  for (const record of records) await log.append([record], never);
  await log.close();
}

const read = async (query: Partial<RecordQuery> = {}): Promise<Json[]> => readRecords(await currentVolume(at.files), { limit: 100, pictures: true, ...query }, () => Promise.resolve(false), at.log);
const readIds = async (query: Partial<RecordQuery> = {}): Promise<string[]> =>
  (await read(query) as unknown as BatchRecord[]).map(({ batch }) => batch.id);

describe('reading records', () => {
  it('gives the newest first, up to the limit', async () => {
    await write(['a', 'b', 'c'].map((id) => sampleRecord(id)));
    expect(await read()).toEqual(['c', 'b', 'a'].map((id) => sampleRecord(id)));
    expect(await readIds({ limit: 2 })).toEqual(['c', 'b']);
    expect(await readIds({ limit: 0 })).toEqual([]);
  });

  it('chooses by camera, by model and by the time of the first frame', async () => {
    await write([
      sampleRecord('a', { camera: 'north', at: '2025-06-01T10:00:00.000Z' }),
      sampleRecord('b', { camera: 'south', at: '2025-06-01T11:00:00.000Z', model: 'animals' }),
      sampleRecord('c', { camera: 'north', at: '2025-06-01T12:00:00.000Z', model: 'animals' }),
    ]);
    expect(await readIds({ camera_id: 'north' })).toEqual(['c', 'a']);
    expect(await readIds({ model: 'animals' })).toEqual(['c', 'b']);
    expect(await readIds({ since: '2025-06-01T13:00:00+02:00' })).toEqual(['c', 'b']);
    expect(await readIds({ camera_id: 'north', model: 'animals', since: '2025-06-01T12:00:00Z', limit: 1 })).toEqual(['c']);
    expect(await readIds({ camera_id: 'west' })).toEqual([]);
  });

  it('finds the record of one batch, also by the time that its id ends in', async () => {
    const [old, middle, young] = ['10', '11', '12'].map((hour) => `CAM_0a1b2c3d-20250601T${hour}0000000000Z`) as [string, string, string];
    const odd = 'of another make';
    await write(([[old, '10'], [odd, '09'], [middle, '11'], [young, '12']] as const).map(([id, hour]) => sampleRecord(id, { at: `2025-06-01T${hour}:00:00.000Z` })));
    for (const id of [old, middle, young, odd]) expect(await readIds({ id })).toEqual([id]);
    for (const id of ['', 'CAM_0a1b2c3d-20250601T130000000000Z', 'CAM_0a1b2c3d', '-99999999T999999999000Z']) expect(await readIds({ id })).toEqual([]);
    expect(await readIds({ id: old, camera_id: 'somebody else' })).toEqual([]);
  });

  it('finds what is in all others where a rotated file, or its index, cannot be read, and says so; appending goes on', async () => {
    await write(['a', 'b', 'c', 'd'].map((id) => sampleRecord(id)), { rotate_bytes: 1 });
    const [first = '', second = ''] = await at.named('predictions-');
    const index = second.replace('predictions', 'records').replace('.json', '.idx');
    for (const name of [first, index]) {
      await rm(join(at.folder, name));
      await mkdir(join(at.folder, name));
    }
    expect(await readIds()).toEqual(['d', 'c']);
    expect(at.warnings[0]).toMatch(/predictions-\d{8}T\d+Z\.json: a rotated file cannot be read, and what is in it is not found/);
    await write([sampleRecord('e')]);
    expect(await readIds({ limit: 2 })).toEqual(['e', 'd']);
  });

  it('leaves pictures out unless they are asked for, in every generation', async () => {
    await writeFile(at.files.predictions, dumpLikePython());
    await write([sampleRecord('a')]);
    expect(await read()).toEqual([sampleRecord('a'), ...[...FLASK_RECORDS].reverse()]);
    const bare = await read({ pictures: false });
    expect(bare).toEqual([sampleRecord('a'), ...[...FLASK_RECORDS].reverse()].map((record) => withoutPicture(record as unknown as Json)));
    expect(JSON.stringify(bare)).not.toContain('frame_base64');
    expect(Object.keys(bare[0] ?? {})).toEqual(Object.keys(sampleRecord('a')));
    expect(await read({ camera_id: 'CAM-002' })).toEqual([FLASK_RECORDS[1]]);
  });

  it('goes on into files that were rotated away', async () => {
    const ids = Array.from({ length: 10 }, (_, number) => `r${number}`);
    await write(ids.map((id) => sampleRecord(id)), { rotate_bytes: 2_500 });
    expect((await at.named('predictions-')).length).toBeGreaterThan(2);
    expect(await readIds()).toEqual([...ids].reverse());
    expect(await readIds({ limit: 7 })).toEqual([...ids].reverse().slice(0, 7));
  });

  it('misses none while files are rotated and gzipped', async () => {
    const log = await at.open({ rotate_bytes: 1, rotate_gzip: true });
    const written: string[] = [];
    const missed: string[] = [];
    let isOver = false;
    const look = async (): Promise<void> => {
      while (!isOver) {
        const [newest = ''] = written.slice(-1);
        if (newest !== '' && (await log.read({ id: newest, limit: 1, pictures: true })).length === 0) missed.push(newest);
        const before = written.length;
        const found = await log.read({ limit: 100, pictures: false });
        if (found.length < before) missed.push(`${before - found.length} of ${before}`);
      }
    };
    const looks = [look(), look()];
    for (let number = 0; number < 30; number += 1) {
      await log.append([sampleRecord(`r${number}`)], never);
      written.push(`r${number}`);
    }
    isOver = true;
    await Promise.all(looks);
    await log.close();
    expect(missed).toEqual([]);
  });

  it('finds by time what was captured while the clock was ahead, in files that were written last before that time', async () => {
    const ids = Array.from({ length: 10 }, (_, number) => `r${number}`);
    await write(ids.map((id, number) => sampleRecord(id, { at: number === 2 ? '2999-06-01T10:00:00.000Z' : '2025-06-01T10:00:00.000Z' })), { rotate_bytes: 2_500 });
    expect((await at.named('predictions-')).length).toBeGreaterThan(2);
    expect(await readIds({ since: '2999-01-01T00:00:00Z' })).toEqual(['r2']);
    expect(await readIds({ since: '2025-06-01T10:00:00Z' })).toEqual([...ids].reverse());
    // The last line of a file that is put away says at once whether there is anything in it.
    for (const index of await at.named('records-')) expect((await at.text(index)).trimEnd().split('\n').at(-1)).toMatch(/^\{/);
  });

  it('reads NDJSON as well', async () => {
    await write(['a', 'b'].map((id) => sampleRecord(id)), { format: 'ndjson' });
    expect(await readIds()).toEqual(['b', 'a']);
  });

  it('finds its way through an index of many blocks, with letters of more than one byte', async () => {
    const ids = Array.from({ length: 400 }, (_, number) => `${'straße-'.repeat(60)}${number}`);
    const text = ids.map((id) => JSON.stringify(sampleRecord(id))).join(',\n');
    await writeFile(at.files.predictions, `[\n${text}\n]\n`);
    await write([]);
    expect((await at.text('records.idx')).length).toBeGreaterThan(65_536 * 2);
    expect(await readIds({ limit: 1_000 })).toEqual([...ids].reverse());
  });

  it('gives what there is when the index is behind, and nothing where there is no file', async () => {
    await write(['a', 'b'].map((id) => sampleRecord(id)));
    await truncate(join(at.folder, 'records.idx'), (await at.text('records.idx')).length - 5);
    expect(await readIds()).toEqual(['a']);
    await rm(at.files.predictions);
    expect(await readIds()).toEqual([]);
  });

  it('gives null for what Python writes where it has no number, and leaves out what nobody could write again', async () => {
    const deep = '['.repeat(6000) + ']'.repeat(6000);
    await writeFile(at.files.predictions, `[{"camID": "a", "Latitude": NaN, "said": "NaN, \\"Infinity"}, {"camID": "b", "all": ${deep}}, {"camID": "c", "Latitude": [-Infinity, 1]}]`);
    await write([]);
    expect(await read()).toEqual([{ camID: 'c', Latitude: [null, 1] }, { camID: 'a', Latitude: null, said: 'NaN, "Infinity' }]);
  });

  it('passes over what the index says of another file', async () => {
    await write(['a', 'b'].map((id) => sampleRecord(id)));
    await writeFile(at.files.predictions, dumpLikePython());
    expect(await read()).toEqual([]);
  });
});
