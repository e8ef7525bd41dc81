import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdir, readdir, readFile, readlink, rename, rm, rmdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../src/lib/log.ts';
import { adopt } from '../../src/log/adopt.ts';
import { catchUpRotated } from '../../src/log/catch-up.ts';
import { LAYOUTS } from '../../src/log/layout.ts';
import { openLog } from '../../src/log/record-log.ts';
import { rotationLimit } from '../../src/log/rotate.ts';
import { currentVolume, newestVolumeFirst, rotatedVolumes } from '../../src/log/shelf.ts';
import { isNoRoom } from '../../src/lib/transient.ts';
import type { BatchRecord, RecordLog } from '../../src/types.ts';
import { canMount, mountSmallDisk } from '../helpers/small-disk.ts';
import { dumpLikePython, FLASK_RECORDS } from './flask-records.ts';
import { inFull } from '../promises/figures.ts';
import { sampleRecord } from './sample-record.ts';
import { logFolder, type LogFolder } from './log-folder.ts';

const never = new AbortController().signal;
let at: LogFolder;

beforeEach(async () => {
  at = await logFolder();
});
afterEach(() => at.remove());

/** Opens, writes, closes. */
async function write(ids: readonly string[], settings?: Parameters<LogFolder['open']>[0]): Promise<BatchRecord[]> {
  const log = await at.open(settings);
  const records = ids.map((id) => sampleRecord(id));
  for (const record of records) await log.append([record], never);
  await log.close();
  return records;
}

describe('the file', () => {
  it('is an array with one record per line, valid from the start', async () => {
    const log = await at.open();
    expect(await at.text()).toBe('[\n]\n');
    const [a, b] = [sampleRecord('a'), sampleRecord('b')];
    await log.append([a], never);
    expect(await at.text()).toBe(`[\n${JSON.stringify(a)}\n]\n`);
    await log.append([b], never);
    expect(await at.text()).toBe(`[\n${JSON.stringify(a)},\n${JSON.stringify(b)}\n]\n`);
    await log.close();
    expect(await readdir(at.folder)).toEqual(['predictions.json', 'records.idx']);
  });

  it('is one record per line and nothing else as NDJSON', async () => {
    const records = await write(['a', 'b'], { format: 'ndjson' });
    expect(await at.text()).toBe(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    await write(['c'], { format: 'ndjson' });
    expect((await at.text()).split('\n')).toHaveLength(4);
  });

  it('is begun anew where somebody removed its folder', async () => {
    const predictions = join(at.folder, 'records', 'predictions.json');
    const log = await at.open({ predictions });
    await log.append([sampleRecord('a')], never);
    await rm(join(at.folder, 'records'), { recursive: true });
    await log.append([sampleRecord('b')], never);
    await log.close();
    expect(await at.text('records/predictions.json')).toBe(`[\n${JSON.stringify(sampleRecord('b'))}\n]\n`);
  });

  it('may be a link; what it leads to is written', async () => {
    await writeFile(join(at.folder, 'elsewhere.json'), dumpLikePython());
    await symlink('elsewhere.json', at.files.predictions);
    await write(['a']);
    expect(JSON.parse(await at.text('elsewhere.json'))).toHaveLength(4);
  });

  it('may be a link to what is not there yet, and stays where that leads when it is rotated; a disk that is not mounted is named', async () => {
    const disk = join(at.folder, 'disk');
    await symlink('disk/other.json', at.files.predictions);
    await expect(at.open()).rejects.toThrow(`is a link to ${join(disk, 'other.json')}, whose folder is not there`);
    await mkdir(disk);
    await symlink('records.json', join(disk, 'other.json'));
    await write(['a', 'b', 'c', 'd'], { rotate_bytes: 2000 });
    expect(await at.named('predictions')).toEqual(['predictions.json']);
    expect(await readlink(at.files.predictions)).toBe('disk/other.json');
    expect((await readdir(disk)).sort()).toEqual(['other.json', expect.stringMatching(/^records-.*Z\.json$/), 'records.json']);
  });
});

it('is not read to its end once a signal aborts, and the next time is', async () => {
  await write(['a', 'b', 'c', 'd'], { rotate_bytes: 2000 });
  for (const name of await at.named('records')) await rm(join(at.folder, name));
  const current = await currentVolume(at.files);
  const stopped = AbortSignal.abort(new Error('stopped'));
  await expect(adopt(current, LAYOUTS.json, silentLog, null, stopped)).rejects.toThrow('stopped');
  for (const volume of await rotatedVolumes(current)) await expect(catchUpRotated(volume, LAYOUTS.json, stopped)).rejects.toThrow('stopped');
  expect(await at.named('records')).toEqual([]);
  const log = await at.open();
  expect(await log.has('a')).toBe(true);
  await log.close();
});

describe('a file of the Flask orchestrator', () => {
  const golden = {
    'as it writes it': dumpLikePython(),
    'with CRLF': dumpLikePython().replaceAll('\n', '\r\n'),
    'with lines and blanks after the end': `${dumpLikePython()}\r\n \n\n`,
    'with more blanks before the end than a record has bytes': dumpLikePython().replace(/\n\]$/, `${' '.repeat(5_000)}\n]`),
    'compact': JSON.stringify(FLASK_RECORDS),
  };
  for (const [name, text] of Object.entries(golden)) {
    it(`is continued ${name}, its records untouched`, async () => {
      await writeFile(at.files.predictions, text);
      const records = await write(['a', 'b']);
      expect(await at.parse()).toEqual([...FLASK_RECORDS, ...records]);
      const kept = text.slice(0, text.lastIndexOf('}') + 1);
      expect((await at.text()).startsWith(kept)).toBe(true);
      expect(at.warnings).toEqual([]);
      expect(await write(['c'])).toHaveLength(1);
      expect(await at.parse()).toHaveLength(6);
    });
  }

  it('may rewrite the whole file while Lookout has it open', async () => {
    const log = await at.open();
    await log.append([sampleRecord('a')], never);
    await writeFile(at.files.predictions, dumpLikePython([...(await at.parse()), FLASK_RECORDS[0]]));
    await log.append([sampleRecord('b')], never);
    expect(await at.parse()).toEqual([sampleRecord('a'), FLASK_RECORDS[0], sampleRecord('b')]);
    expect([await log.has('a'), await log.has('b')]).toEqual([true, true]);
    await log.close();
  });

  it('with a number that JSON does not have is continued all the same', async () => {
    await writeFile(at.files.predictions, dumpLikePython().replace('37.7749', 'NaN'));
    await write(['a']);
    expect(await at.text()).toContain('NaN');
    expect(at.warnings).toEqual([]);
    expect(JSON.parse((await at.text()).replace('NaN', '37.7749'))).toEqual([...FLASK_RECORDS, sampleRecord('a')]);
  });
});

describe('a file that nobody can continue', () => {
  it.each([
    ['an object', '{"records": []}'],
    ['not JSON', 'hello'],
    ['an array of numbers', '[1, 2, 3]'],
    ['half of a first record', '[\n{"schema_version": 1, "ba'],
  ])('because it is %s is kept under another name, with one warning', async (_, text) => {
    await writeFile(at.files.predictions, text);
    const records = await write(['a']);
    expect(await at.parse()).toEqual(records);
    const [aside = '', ...more] = await at.named('predictions.aside-');
    expect(more).toEqual([]);
    expect(await at.text(aside)).toBe(text);
    expect(at.warnings).toHaveLength(1);
    expect(at.warnings[0]).toContain(aside);
  });

  it.each(['', '[]', '[', ' \n', '[\n'])('because it holds nothing (%j) is begun, without a warning', async (text) => {
    await writeFile(at.files.predictions, text);
    expect(await write(['a'])).toEqual(await at.parse());
    expect(await readdir(at.folder)).toEqual(['predictions.json', 'records.idx']);
    expect(at.warnings).toEqual([]);
  });
});

describe('a torn tail', () => {
  /** As short as a record can be that has all that trips a reader up: nested arrays of objects, quotes, two-byte letters. */
  const short = (id: string): BatchRecord => ({ basic: { camID: 'ß"]' }, batch: { id, frames: [{ captured_at: '2025' }] }, models: {} }) as unknown as BatchRecord;

  for (const [format, index] of [['json', 'kept'], ['json', 'lost'], ['ndjson', 'kept']] as const) {
    it(`is repaired wherever an append was cut off (${format}, index ${index})`, async () => {
      const append = async (...ids: string[]): Promise<boolean> => {
        const log = await at.open({ format });
        const hadLast = await log.has('c');
        for (const id of ids) await log.append([short(id)], never);
        await log.close();
        return hadLast;
      };
      const read = async (): Promise<unknown> =>
        format === 'json' ? at.parse() : (await at.text()).trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
      await append('a', 'b');
      const before = Buffer.byteLength(await at.text()) - (format === 'json' ? 3 : 1);
      await append('c');
      const whole = await readFile(at.files.predictions);
      const wholeIndex = await at.text('records.idx');
      for (let length = before; length < whole.length; length += inFull ? 1 : 3) {
        const torn = whole.subarray(0, length);
        await writeFile(at.files.predictions, torn);
        await (index === 'kept' ? writeFile(join(at.folder, 'records.idx'), wholeIndex) : rm(join(at.folder, 'records.idx')));
        const lastIsWhole = await append('d');
        expect(await read()).toEqual(['a', 'b', ...(lastIsWhole ? ['c'] : []), 'd'].map(short));
        for (const name of await at.named('predictions.damaged-')) {
          expect(Buffer.concat([torn.subarray(0, before), await readFile(join(at.folder, name))]).equals(torn)).toBe(true);
          await rm(join(at.folder, name));
        }
        expect(lastIsWhole).toBe(length >= whole.lastIndexOf('}') + 1);
      }
    });
  }

  it('is kept in a file beside, with one warning that names it', async () => {
    await write(['a', 'b']);
    await truncate(at.files.predictions, (await at.text()).length - 40);
    expect([...await at.parse().catch(() => ['invalid'])]).toEqual(['invalid']);
    await write([]);
    const [damaged = ''] = await at.named('predictions.damaged-');
    expect(await at.text(damaged)).toMatch(/^,\n\{"basic"/);
    expect(at.warnings).toHaveLength(1);
    expect(at.warnings[0]).toContain(damaged);
    expect(await at.parse()).toEqual([sampleRecord('a')]);
  });

  it('of zeros, as a power cut leaves it, is cut off and kept', async () => {
    await write(['a']);
    const text = await at.text();
    await writeFile(at.files.predictions, `${text.slice(0, -3)},\n{"basic":{"camID":"\0\0\0\0\0\0\0\0"}}\n]\n`);
    const records = await write(['b']);
    expect(await at.parse()).toEqual([sampleRecord('a'), ...records]);
    expect(await at.named('predictions.damaged-')).toHaveLength(1);
  });
});

it('a byte order mark before it is no damage', async () => {
  await write(['a', 'b']);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await writeFile(at.files.predictions, `\uFEFF${await at.text()}`);
  const [record] = await write(['c']);
  expect(JSON.parse((await at.text()).replace('\uFEFF', ''))).toEqual([sampleRecord('a'), sampleRecord('b'), record]);
  expect(await readdir(at.folder)).toEqual(['predictions.json', 'records.idx']);
});

describe('damage before the end', () => {
  const damage: readonly (readonly [string, (text: string) => string | Buffer])[] = [
    ['a byte that is another', (text) => text.replace('"camID":"b"', '"camID":"b ')],
    ['a record cut short', (text) => text.replace(/(\{"basic":\{"camID":"b"[^\n]{10})[^\n]*/, '$1')],
    ['zeros', (text) => text.replace(/"camID":"b"/, '\0'.repeat(11))],
    ['bytes that are no text', (text) => Buffer.concat([Buffer.from(text.slice(0, text.indexOf('{"basic":{"camID":"b"'))), Buffer.from([0xff, 0x7d, 0x7d]), Buffer.from(text.slice(text.indexOf('"camID":"b"')))])],
    ['a comma that is gone', (text) => text.replace('"camID":"b",', '"camID":"b" ')],
  ];
  const record = (id: string): BatchRecord => ({ basic: { camID: id, text: 'x"]}' }, batch: { id, frames: [{ captured_at: '2025' }] }, models: {} }) as unknown as BatchRecord;

  for (const format of ['json', 'ndjson'] as const) {
    it.each(damage)(`costs what is damaged, keeps the file as it was, and leaves one that can be read: %s (${format})`, async (_what, harm) => {
      const read = async (): Promise<unknown[]> => (format === 'json' ? at.parse() : (await at.text()).trimEnd().split('\n').map((line) => JSON.parse(line) as unknown));
      for (const whileOpen of [true, false]) {
        await rm(at.folder, { recursive: true });
        await mkdir(at.folder);
        at.warnings.length = 0;
        let log = await at.open({ format });
        for (const id of ['a', 'b', 'c']) await log.append([record(id)], never);
        if (!whileOpen) await log.close();
        const harmed = harm(await at.text());
        // The time of a file is as coarse as a tick of the system's clock.
        await new Promise((resolve) => setTimeout(resolve, 20));
        await writeFile(at.files.predictions, harmed);
        if (!whileOpen) log = await at.open({ format });
        await log.append([record('d')], never);
        expect(await read()).toEqual(['a', 'c', 'd'].map(record));
        expect(await Promise.all(['a', 'c', 'd'].map((id) => log.has(id)))).toEqual([true, true, true]);
        expect((await log.read({ limit: 10, pictures: true })).map((one) => (one as unknown as BatchRecord).batch.id)).toEqual(['d', 'c', 'a']);
        const [aside = ''] = await at.named('predictions.damaged-');
        expect(await readFile(join(at.folder, aside))).toEqual(Buffer.from(harmed));
        expect(at.warnings).toEqual([expect.stringContaining(`written anew with the 2 records that can be read, and the file as it was is kept as ${join(at.folder, aside)}`)]);
        await log.close();
      }
    });
  }
});

describe('a file that is to be written anew', () => {
  const damage = (text: string): string => text.replace('"id":"b"', '"id":"b ');
  /** The time of a file is as coarse as a tick of the system's clock. */
  const edit = async (file: string, data: string | Buffer): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await writeFile(file, data);
  };
  const idsOf = async (log: RecordLog): Promise<readonly string[]> => (await log.read({ limit: 10, pictures: false })).map((one) => (one as unknown as BatchRecord).batch.id);

  it('has a record in which are bytes that are no text as it was', async () => {
    await write(['a', 'b', 'c', 'd']);
    const harmed = Buffer.from(damage(await at.text()));
    const picture = harmed.indexOf('QUJD', harmed.indexOf('"id":"b '));
    harmed.fill(0xff, picture, picture + 2);
    await edit(at.files.predictions, harmed);
    await write(['e']);
    const records = await at.parse() as readonly BatchRecord[];
    expect(records.map(({ batch }) => batch.id)).toEqual(['a', 'c', 'd', 'e']);
    expect(await readFile(at.files.predictions)).toEqual(Buffer.concat([harmed.subarray(0, harmed.indexOf('{"basic"', 10)), harmed.subarray(harmed.lastIndexOf('{"basic"', picture), -3), Buffer.from(`,\n${JSON.stringify(sampleRecord('e'))}\n]\n`)]));
    const log = await at.open();
    expect(await idsOf(log)).toEqual(['e', 'd', 'c', 'a']);
    await log.close();
    expect(await at.named('predictions.damaged-')).toHaveLength(1);
  });

  it.skipIf(!canMount)('is where it is mounted by itself (needs leave to mount)', async () => {
    await writeFile(at.files.predictions, '');
    await writeFile(join(at.folder, 'elsewhere'), '');
    execFileSync('mount', ['--bind', join(at.folder, 'elsewhere'), at.files.predictions]);
    try {
      await write(['a', 'b', 'c']);
      const harmed = damage(await at.text());
      await edit(at.files.predictions, harmed);
      const log = await at.open();
      await log.append([sampleRecord('d')], never);
      expect(await idsOf(log)).toEqual(['d', 'c', 'a']);
      await log.close();
      expect(await at.parse()).toEqual(['a', 'c', 'd'].map((id) => sampleRecord(id)));
      const [aside = ''] = await at.named('predictions.damaged-');
      expect(await at.text(aside)).toBe(harmed);
      expect(await at.named('predictions')).toEqual([aside, 'predictions.json']);
    } finally {
      execFileSync('umount', [at.files.predictions]);
    }
  });

  it.skipIf(!canMount)('stays as it is until there is room for that (needs leave to mount)', async () => {
    const disk = mountSmallDisk(1);
    const files = { predictions: join(disk.folder, 'predictions.json'), data_dir: disk.folder };
    const filler = join(disk.folder, 'filler');
    try {
      let log = await at.open(files);
      for (const id of ['a', 'b', 'c']) await log.append([sampleRecord(id, { picture: 'A'.repeat(50_000) })], never);
      await log.close();
      const harmed = damage(await readFile(files.predictions, 'utf8'));
      await edit(files.predictions, harmed);
      await writeFile(filler, Buffer.alloc(800_000));
      expect(isNoRoom(await at.open(files).catch((error: unknown) => error))).toBe(true);
      expect(await readFile(files.predictions, 'utf8')).toBe(harmed);
      expect((await readdir(disk.folder)).sort()).toEqual(['filler', 'predictions.json', 'records.idx']);
      await rm(filler);
      log = await at.open(files);
      expect(await idsOf(log)).toEqual(['c', 'a']);
      await log.close();
    } finally {
      disk.unmount();
    }
  });
});

describe('the index', () => {
  const lines = async (): Promise<unknown[]> => (await at.text('records.idx')).trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);

  it('says of each record where it is and what it is about', async () => {
    await writeFile(at.files.predictions, dumpLikePython());
    await write(['a']);
    const text = Buffer.from(await at.text());
    const entries = await lines() as [number, number, ...unknown[]][];
    const records = entries.map(([offset, length]) => JSON.parse(text.subarray(offset, offset + length).toString()) as unknown);
    expect(records).toEqual([...FLASK_RECORDS, sampleRecord('a')]);
    expect(entries.map(([, , ...facts]) => facts)).toEqual([
      ['', 'CAM-001', null, []],
      ['', 'CAM-002', null, []],
      ['', 'CAM "3"\\', null, []],
      ['a', 'CAM-1', '2025-06-01T10:00:00.000Z', ['motion']],
    ]);
  });

  it.each<[string, (index: string) => Promise<void>]>([
    ['lost', (index) => rm(index)],
    ['of another kind', (index) => writeFile(index, '[]\n[1, 2]\n{}\n')],
    ['behind', async (index) => truncate(index, (await at.text('records.idx')).lastIndexOf('[') )],
    ['cut off in a line', async (index) => truncate(index, (await at.text('records.idx')).length - 20)],
    ['of another file', async (index) => writeFile(index, (await at.text('records.idx')).replaceAll(/^\[\d+/gm, '[7'))],
    ['ahead', (index) => appendFile(index, '[99999999,10,"z","c",null,[]]\n')],
    ['rubbish', (index) => writeFile(index, 'rubbish\n')],
  ])('is put right when it is %s', async (_, spoil) => {
    await write(['a', 'b', 'c']);
    const before = await lines();
    await spoil(join(at.folder, 'records.idx'));
    await write([]);
    expect(await lines()).toEqual(before);
  });

  it('catches up with what another program appends, without reading the file from its start', async () => {
    const log = await at.open();
    await log.append([sampleRecord('a')], never);
    const other = await at.open();
    await other.append([sampleRecord('b')], never);
    await log.append([sampleRecord('c')], never);
    await other.append([sampleRecord('d')], never);
    await Promise.all([log.close(), other.close()]);
    expect(await at.parse()).toEqual(['a', 'b', 'c', 'd'].map((id) => sampleRecord(id)));
    expect(await lines()).toHaveLength(4);
  });
});

describe('rotation', () => {
  const all = async (): Promise<unknown[]> =>
    (await Promise.all((await at.named('predictions')).sort().map(async (name) => JSON.parse(await at.text(name)) as unknown[]))).flat();
  const ids = Array.from({ length: 12 }, (_, number) => `r${number}`);

  it.each(['one by one', 'at once'])('begins a new file before one would outgrow the limit, and loses nothing, where they come %s', async (how) => {
    const limit = JSON.stringify(sampleRecord('r10')).length * 3 + 20;
    const log = await at.open({ rotate_bytes: limit });
    const records = ids.map((id) => sampleRecord(id));
    for (const some of how === 'at once' ? [records] : records.map((record) => [record])) await log.append(some, never);
    await log.close();
    const names = await at.named('predictions');
    expect(names).toHaveLength(4);
    for (const name of names) expect((await at.text(name)).length).toBeLessThanOrEqual(limit);
    expect(await at.named('records-')).toHaveLength(3);
    expect((await all() as BatchRecord[]).map(({ batch }) => batch.id).sort()).toEqual([...ids].sort());
    expect((await (await at.open()).read({ limit: 20, pictures: false })).map((record) => (record as unknown as BatchRecord).batch.id)).toEqual(ids.toReversed());
  });

  it('begins files that are read by whoever read the one before', async () => {
    await write(['a'], { rotate_bytes: 1 });
    const mode = async (name: string): Promise<number> => (await stat(join(at.folder, name))).mode & 0o777;
    // Neither what a umask would make of a new file.
    await chmod(at.files.predictions, 0o604);
    await write(['b'], { rotate_bytes: 1 });
    expect(await at.named('predictions-')).toHaveLength(1);
    expect(await mode('predictions.json')).toBe(0o604);
    await writeFile(at.files.predictions, 'no records at all'.repeat(10));
    await write(['c']);
    expect(await Promise.all((await at.named('predictions')).map(mode))).toEqual([0o604, 0o604, 0o604]);
  });

  it('keeps what was rotated away known, also when its index was lost or cut', async () => {
    await write(ids, { rotate_bytes: 3_000 });
    const [first = '', second = ''] = await at.named('records-');
    await rm(join(at.folder, first));
    await truncate(join(at.folder, second), 10);
    const log = await at.open();
    expect(await Promise.all(ids.map((id) => log.has(id)))).toEqual(ids.map(() => true));
    await log.close();
  });

  it('hides nothing where a step on the way fails', async () => {
    const log = await at.open({ rotate_bytes: 1 });
    await log.append([sampleRecord('a')], never);
    const reader = log.reader();
    const begin = await reader.resolve('beginning');
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.UTC(2999, 0));
    try {
      await mkdir(join(at.folder, 'records-29990101T000000000Z.idx'));
      await expect(log.append([sampleRecord('b')], never)).rejects.toMatchObject({ code: 'log_failed' });
    } finally {
      clock.mockRestore();
    }
    await rmdir(join(at.folder, 'records-29990101T000000000Z.idx'));
    for (const id of ['b', 'c']) await log.append([sampleRecord(id)], never);
    expect(await log.read({ limit: 10, pictures: true })).toEqual(['c', 'b', 'a'].map((id) => sampleRecord(id)));
    let { place, items } = await reader.read(begin, { items: 10, bytes: 1e6, pictures: false });
    const found: string[] = [];
    for (; items.length > 0; { place, items } = await reader.read(place, { items: 10, bytes: 1e6, pictures: false })) found.push(...items.map(({ id }) => id));
    expect(found).toEqual(['a', 'b', 'c']);
    await log.close();
    expect(await at.named('records')).toHaveLength(3);
  });

  it('by another Lookout hides nothing, and costs a follower nothing', async () => {
    await mkdir(join(at.folder, 'other'));
    const log = await at.open({ rotate_bytes: 2000 });
    const other = await openLog({ config: { ...at.files, data_dir: join(at.folder, 'other'), format: 'json', rotate_bytes: 2000, rotate_gzip: false, records_max_bytes: null }, log: silentLog });
    const reader = log.reader();
    let place = await reader.resolve('beginning');
    const found: string[] = [];
    for (const [number, id] of ids.entries()) {
      await (number % 4 === 3 ? log : other).append([sampleRecord(id)], never);
      for (let more = await reader.read(place, { items: 1, bytes: 1e6, pictures: false }); more.items.length > 0; more = await reader.read(place, { items: 1, bytes: 1e6, pictures: false })) {
        expect(more.mended).toBeNull();
        found.push(...more.items.map((item) => item.id));
        ({ place } = more);
      }
    }
    expect(found).toEqual(ids);
    expect(await log.read({ limit: 100, pictures: true })).toHaveLength(ids.length);
    expect((await at.named('predictions-')).length).toBeGreaterThan(2);
    await Promise.all([log.close(), other.close()]);
  });

  it('goes on after a crash between its steps', async () => {
    await write(['a']);
    await rename(at.files.predictions, join(at.folder, 'predictions-20250101T000000000Z.json'));
    const log = await at.open();
    expect(await log.has('a')).toBe(true);
    await log.append([sampleRecord('b')], never);
    await log.close();
    expect(await all()).toEqual([sampleRecord('a'), sampleRecord('b')]);
  });

  it.each([['stands still', 0], ['is set back', -3_600_000]])('puts files in the order in which they were written while the clock %s, gzipped ones too', async (_, step) => {
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now);
    try {
      await write(ids.slice(0, 3), { rotate_bytes: 1 });
      for (const name of await at.named('predictions-')) await rename(join(at.folder, name), join(at.folder, `${name}.gz`));
      clock.mockReturnValue(now + step);
      await write(ids.slice(3, 6), { rotate_bytes: 1 });
    } finally {
      clock.mockRestore();
    }
    const names = await at.named('predictions-');
    expect(names.map((name) => name.endsWith('.gz'))).toEqual([true, true, false, false, false]);
    const written = await Promise.all(names.slice(2).map(async (name) => JSON.parse(await at.text(name)) as BatchRecord[]));
    expect(written.flat().map(({ batch }) => batch.id)).toEqual(ids.slice(2, 5));
  });

  it('is seen by those who read files meanwhile: each file once, whatever it is called by then', async () => {
    const current = await currentVolume(at.files);
    const put = async (time: string): Promise<void> => { for (const path of [`predictions-${time}.json`, `records-${time}.idx`]) await writeFile(join(at.folder, path), ''); };
    const [oldest, newest] = ['20250101T000000000Z', '20250101T000000001Z'];
    await put(oldest);
    const read: string[] = [];
    const found = newestVolumeFirst(current, async ({ file }) => {
      read.push(basename(file));
      if (read.length === 1) await put(newest);
      if (basename(file) === `predictions-${oldest}.json`) await rm(join(at.folder, `records-${oldest}.idx`));
      return basename(file);
    });
    const names: string[] = [];
    for await (const name of found) names.push(name);
    expect(names).toEqual(['predictions.json', `predictions-${newest}.json`, `predictions-${oldest}.json.gz`]);
    expect(read).toEqual(['predictions.json', 'predictions.json', `predictions-${newest}.json`, `predictions-${oldest}.json`, `predictions-${oldest}.json.gz`]);
  });

  it('takes a name for that of a rotated file only where it says a time', async () => {
    const other = join(at.folder, 'predictions-99999999T999999999Z.json');
    await writeFile(other, 'another\'s');
    await write(ids.slice(0, 2), { rotate_bytes: 1 });
    expect(await at.named('predictions-')).toHaveLength(2);
    expect(await readFile(other, 'utf8')).toBe('another\'s');
  });

  it('leaves a file alone that Lookout did not begin, unless it is set', async () => {
    expect(rotationLimit(null, true)).toBe(400_000_000);
    expect(rotationLimit(null, false)).toBe(Infinity);
    await writeFile(at.files.predictions, dumpLikePython());
    await write(['a']);
    expect(await adopt(await currentVolume(at.files), LAYOUTS.json, silentLog, null, never)).toMatchObject({ ours: false });
    await write(['b'], { rotate_bytes: 1_000 });
    expect(await at.named('predictions-')).toHaveLength(1);
    expect(await adopt(await currentVolume(at.files), LAYOUTS.json, silentLog, null, never)).toMatchObject({ ours: true });
  });

  it('is off when set to 0', async () => {
    await write(ids, { rotate_bytes: 0 });
    expect(await at.named('predictions')).toEqual(['predictions.json']);
  });
});

describe('an append', () => {
  it('is written once when the same record comes again after a failure', async () => {
    const log = await at.open();
    await log.append([sampleRecord('a')], never);
    // Somebody else writes the record that this log is about to write, as a try that only seemed to fail would.
    const other = await at.open();
    await other.append([sampleRecord('b')], never);
    await log.append([sampleRecord('b')], never);
    await Promise.all([log.close(), other.close()]);
    expect(await at.parse()).toEqual([sampleRecord('a'), sampleRecord('b')]);
  });
});
