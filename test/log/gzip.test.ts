/** Rotated files that are gzipped, and those that are deleted. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, stat, truncate, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolderOrFile } from '../../src/lib/lock.ts';
import { compress } from '../../src/log/compress.ts';
import { LAYOUTS } from '../../src/log/layout.ts';
import { packMember } from '../../src/log/members.ts';
import { currentVolume, rotatedVolumes } from '../../src/log/shelf.ts';
import type { BatchRecord, LogHolder, RecordLog } from '../../src/types.ts';
import { logFolder, type LogFolder } from './log-folder.ts';
import { sampleRecord } from './sample-record.ts';

const never = new AbortController().signal;
const IDS = Array.from({ length: 12 }, (_, number) => `r${number}`);
const GZIPPED = { rotate_bytes: 2000, rotate_gzip: true };
let at: LogFolder;

beforeEach(async () => {
  at = await logFolder();
});
afterEach(() => at.remove());

type Settings = Parameters<LogFolder['open']>[0];

async function write(ids: readonly string[], settings: Settings): Promise<void> {
  const log = await at.open(settings);
  for (const id of ids) await log.append([sampleRecord(id)], never);
  await log.close();
}

async function withLog<Result>(settings: Settings, work: (log: RecordLog) => Promise<Result>): Promise<Result> {
  const log = await at.open(settings);
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

const readIds = (log: RecordLog): Promise<string[]> => log.read({ limit: 100, pictures: true }).then((records) => (records as unknown as BatchRecord[]).map(({ batch }) => batch.id));
const rotated = (): Promise<string[]> => at.named('predictions-');
const allGzipped = (): Promise<void> => expect.poll(async () => (await rotated()).every((name) => name.endsWith('.gz')), { timeout: 20_000 }).toBe(true);
const zcat = (name: string): string => execFileSync('zcat', [join(at.folder, name)], { encoding: 'utf8' });

/** Rotated files, all of them gzipped. */
async function gzipped(settings: Settings = {}): Promise<readonly string[]> {
  await write(IDS, { rotate_bytes: 2000, ...settings });
  await withLog({ ...GZIPPED, ...settings }, () => allGzipped());
  return rotated();
}

describe('rotated files that are gzipped', () => {
  it.each(['json', 'ndjson'] as const)('are what they were to zcat: %s', async (format) => {
    await write(IDS, { rotate_bytes: 2000, format });
    const before = await Promise.all((await rotated()).map((name) => at.text(name)));
    expect(before.length).toBeGreaterThan(2);
    await withLog({ ...GZIPPED, format }, () => allGzipped());
    const names = await rotated();
    expect(names.map(zcat)).toEqual(before);
    expect(await at.named('records-')).toEqual(names.map((name) => name.replace('predictions', 'records').replace(/\..*$/, '.gz.idx')));
  });

  it('are read as before, by camera and by time', async () => {
    await gzipped();
    await withLog(GZIPPED, async (log) => {
      expect(await readIds(log)).toEqual([...IDS].reverse());
      expect(await log.read({ limit: 100, pictures: true })).toContainEqual(sampleRecord('r2'));
      expect(await log.read({ limit: 100, pictures: true, camera_id: 'nobody' })).toEqual([]);
      expect(await log.has('r0')).toBe(true);
    });
  });

  it('are found again where their index is lost or cut', async () => {
    await gzipped();
    const [first = '', second = ''] = await at.named('records-');
    await rm(join(at.folder, first));
    await truncate(join(at.folder, second), 10);
    await withLog(GZIPPED, async (log) => { expect(await readIds(log)).toEqual([...IDS].reverse()); });
  });

  it('are read up to what is damaged', async () => {
    const [first = ''] = await gzipped();
    await truncate(join(at.folder, first), (await stat(join(at.folder, first))).size - 5);
    const [index = ''] = await at.named('records-');
    await rm(join(at.folder, index));
    await withLog(GZIPPED, async (log) => {
      const ids = await readIds(log);
      expect(ids).toContain('r0');
      expect(ids.length).toBe(IDS.length - 1);
    });
  });

  it('come as records are written, while those go on', async () => {
    await withLog(GZIPPED, async (log) => {
      for (const id of IDS) await log.append([sampleRecord(id)], never);
      expect(await readIds(log)).toEqual([...IDS].reverse());
      await allGzipped();
      expect(await readIds(log)).toEqual([...IDS].reverse());
    });
  });

  it('are there once after a crash between the steps', async () => {
    await write(IDS, { rotate_bytes: 2000 });
    const [first = ''] = await rotated();
    await copyFile(join(at.folder, first), join(at.folder, 'kept'));
    await withLog(GZIPPED, () => allGzipped());
    await copyFile(join(at.folder, 'kept'), join(at.folder, first));
    // Edited since.
    await writeFile(join(at.folder, first), (await at.text(first)).replace('CAM', 'MAC'));
    await withLog({}, async (log) => { expect(await readIds(log)).toEqual([...IDS].reverse()); });
    expect((await rotated()).filter((name) => !name.endsWith('.gz'))).toEqual([first]);
    await copyFile(join(at.folder, 'kept'), join(at.folder, first));
    await withLog({}, async (log) => { expect(await readIds(log)).toEqual([...IDS].reverse()); });
    expect((await rotated()).filter((name) => !name.endsWith('.gz'))).toEqual([]);
  });

  it('are never taken for whole where another program gzips them: not one record is lost', async () => {
    await write(IDS, { rotate_bytes: 2000 });
    const [first = ''] = await rotated();
    const plain = join(at.folder, first);
    const all = execFileSync('gzip', ['-c', plain]);
    // Begun, whole, and of Lookout but with less in it than the plain file.
    for (const gzip of [all.subarray(0, 100), all, await packMember(Buffer.from('[\n{"a":1}'))]) {
      at.warnings.length = 0;
      await withLog({}, async (log) => { await writeFile(`${plain}.gz`, gzip); expect(await readIds(log)).toEqual([...IDS].reverse()); });
      await withLog(GZIPPED, async (log) => {
        expect(await readIds(log)).toEqual([...IDS].reverse());
        await expect.poll(async () => (await rotated()).filter((name) => !name.endsWith('.gz'))).toEqual([first]);
      });
      expect(await readFile(`${plain}.gz`)).toEqual(gzip);
      expect(at.warnings).toContainEqual(expect.stringContaining(`only ${plain} is read`));
    }
  });

  it('are said to be of another program where none can be read, and do not keep the log from being opened', async () => {
    await write(IDS, { rotate_bytes: 2000 });
    const [first = '', second = ''] = await rotated();
    execFileSync('gzip', [join(at.folder, first)]);
    await rm(join(at.folder, second));
    await mkdir(join(at.folder, second));
    await withLog({}, async (log) => {
      await log.append([sampleRecord('more')], never);
      expect(await log.read({ limit: 1, pictures: true })).toEqual([sampleRecord('more')]);
    });
    expect(at.warnings).toContainEqual(expect.stringMatching(`${first}.gz.*gunzip it`));
    expect(at.warnings).toContainEqual(expect.stringContaining(join(at.folder, second)));
  });

  it('are whole or not there: a stop on the way leaves the file as it was', async () => {
    await write(IDS, { rotate_bytes: 2000 });
    const [volume] = await rotatedVolumes(await currentVolume(at.files));
    const before = await rotated();
    await expect(volume && compress(volume, LAYOUTS.json, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    expect(await rotated()).toEqual(before);
  });

  it('are whole where two share the log', async () => {
    await write(IDS, { rotate_bytes: 2000 });
    const before = await Promise.all((await rotated()).map((name) => at.text(name)));
    await mkdir(join(at.folder, 'other'));
    const logs = await Promise.all([at.folder, join(at.folder, 'other')].map((data_dir) => at.open({ ...GZIPPED, data_dir })));
    await allGzipped();
    await Promise.all(logs.map((log) => log.close()));
    expect((await rotated()).map(zcat)).toEqual(before);
    expect(at.warnings).toEqual([]);
  });

  it('are not kept from it by one that cannot be', async () => {
    await write(IDS, { rotate_bytes: 2000 });
    const before = await rotated();
    const stuck = before.at(-1) ?? '';
    await mkdir(join(at.folder, `${stuck}.gz.tmp`));
    const log = await at.open({ rotate_bytes: 1e6, rotate_gzip: true });
    await expect.poll(rotated).toEqual([...before.map((name) => (name === stuck ? name : `${name}.gz`)), `${stuck}.gz.tmp`]);
    await log.close();
    expect(at.warnings.filter((line) => line.includes('cannot be gzipped'))).toHaveLength(1);
  });

  it('do not come of what is damaged', async () => {
    await write(IDS, { rotate_bytes: 2000 });
    const [volume] = await rotatedVolumes(await currentVolume(at.files));
    if (!volume) throw new Error('none');
    await truncate(volume.file, 1000);
    expect(await compress(volume, LAYOUTS.json, never)).toBe(false);
    expect((await stat(volume.file)).size).toBe(1000);
  });

  it('say in each member how long it is', async () => {
    const member = await packMember(Buffer.from('[\n{"a":1}'));
    expect(member.readUInt32LE(16)).toBe(member.length);
    await writeFile(join(at.folder, 'one.gz'), Buffer.concat([member, member]));
    expect(zcat('one.gz')).toBe('[\n{"a":1}[\n{"a":1}');
    expect((await readFile(join(at.folder, 'one.gz'))).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
  });
});

describe('records beyond records_max_bytes', () => {
  const nobody: LogHolder = { bytes: 0, needs: () => false, gone: () => undefined };
  const bytesNow = async (): Promise<number> => {
    const sizes = await Promise.all((await at.named('predictions')).map(async (name) => (await stat(join(at.folder, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  };

  it('are deleted by whole files, the oldest first, with their indexes; what is left is read', async () => {
    await withLog({ rotate_bytes: 2000, records_max_bytes: 5000 }, async (log) => {
      await log.heldBy(nobody);
      for (const id of IDS) {
        await log.append([sampleRecord(id)], never);
        expect(await bytesNow()).toBeLessThanOrEqual(5000);
      }
      const ids = await readIds(log);
      expect(ids.length).toBeGreaterThan(3);
      expect(ids.length).toBeLessThan(IDS.length);
      expect(ids).toEqual([...IDS].reverse().slice(0, ids.length));
    });
    expect(await at.named('records-')).toHaveLength((await rotated()).length);
  });

  it('are deleted once it is known who needs them, also gzipped ones; never the file that is written', async () => {
    const before = await gzipped();
    await withLog({ records_max_bytes: 0 }, async (log) => {
      await log.append([sampleRecord('more')], never);
      expect(await rotated()).toEqual(before);
      await log.heldBy(nobody);
      expect(await rotated()).toEqual([]);
      expect((await readIds(log)).length).toBeGreaterThan(0);
      await log.append([sampleRecord('still more')], never);
    });
    expect(await at.named('records')).toEqual(['records.idx']);
  });

  it('are not deleted while they are gzipped, which would bring them back, but once they are', async () => {
    await withLog({}, (log) => log.append(Array.from({ length: 2000 }, (_, number) => sampleRecord(`r${number}`)), never));
    await rename(at.files.predictions, join(at.folder, 'predictions-20250101T000000000Z.json'));
    await rename(join(at.folder, 'records.idx'), join(at.folder, 'records-20250101T000000000Z.idx'));
    const gzipping = appears(at.folder, '.gz.tmp');
    const told: unknown[] = [];
    await withLog({ ...GZIPPED, records_max_bytes: 0 }, async (log) => {
      await gzipping;
      await log.heldBy({ ...nobody, gone: (_first, items) => told.push([items, readdirSync(at.folder).filter((name) => name.startsWith('predictions-'))]) });
      await expect.poll(() => told.length, { timeout: 20_000 }).toBe(1);
    });
    expect(told).toEqual([[2000, []]]);
    expect(await at.named('predictions')).toEqual(['predictions.json']);
  });

  it('are kept where nobody has set it', async () => {
    await write(IDS, { rotate_bytes: 2000 });
    await withLog({}, async (log) => { expect(await readIds(log)).toHaveLength(IDS.length); });
  });
});

async function appears(folder: string, ending: string): Promise<void> {
  for await (const { filename } of watch(folder)) if (filename?.endsWith(ending)) return;
}

it('removes drafts that a kill left, no files of others, and none that another Lookout is at', async () => {
  const [time, draft] = ['20250101T000000000Z', '20250101T000000001Z.json.gz.tmp'];
  const [ours, others] = [
    [`predictions.damaged-${time}.json.tmp`, `predictions.damaged-${time}.json.0123abcd.tmp`, `predictions-${time}.json.gz.tmp`],
    [`predictions.damaged-${time}.json`, 'predictions.json.tmp', 'predictions-old.json.gz.tmp', `predictions-${time}.csv.gz.tmp`, `predictions-${draft}`],
  ];
  for (const name of [...ours, ...others]) await writeFile(join(at.folder, name), 'x');
  const lock = await lockFolderOrFile(join(at.folder, `predictions-${draft.replace('.gz.tmp', '')}`), { waitMs: 0 }, never);
  await withLog({}, () => Promise.resolve());
  await lock.release();
  expect(await at.named('predictions')).toEqual([...others, 'predictions.json'].sort());
});
