/** What the log promises to those who have only its contract, whatever form its file has. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/lib/log.ts';
import { openLog } from '../../src/log/record-log.ts';
import type { BatchRecord, RecordLog } from '../../src/types.ts';
import { sampleRecord } from './sample-record.ts';

const never = new AbortController().signal;
const samples = (...ids: readonly string[]): BatchRecord[] => ids.map((id) => sampleRecord(id));

describe.each(['json', 'ndjson'] as const)('the log (%s)', (format) => {
  let folder: string;
  let log: RecordLog;

  const open = async (): Promise<RecordLog> => openLog({ config: { predictions: join(folder, 'predictions.json'), data_dir: join(folder, 'data'), format, rotate_bytes: null, rotate_gzip: false, records_max_bytes: null }, log: silentLog });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lookout-log-'));
    log = await open();
  });
  afterEach(async () => {
    await log.close();
    await rm(folder, { recursive: true, force: true });
  });

  const reopen = async (): Promise<void> => {
    await log.close();
    log = await open();
  };

  it('has what was appended and nothing else', async () => {
    expect(await log.has('a')).toBe(false);
    await log.append([sampleRecord('a')], never);
    expect(await log.has('a')).toBe(true);
    expect(await log.has('b')).toBe(false);
  });

  it('still has everything when it is opened again', async () => {
    await log.append([sampleRecord('a')], never);
    await reopen();
    await log.append([sampleRecord('b')], never);
    await reopen();
    expect(await Promise.all(['a', 'b'].map((id) => log.has(id)))).toEqual([true, true]);
  });

  it('takes many records at once', async () => {
    const ids = Array.from({ length: 25 }, (_, number) => `many-${number}`);
    await Promise.all(ids.map((id) => log.append([sampleRecord(id)], never)));
    await reopen();
    for (const id of ids) expect(await log.has(id)).toBe(true);
  });

  it('writes those together that wait, in their order, but for one that is not waited for any more and one that is no JSON', async () => {
    let writes = 0;
    log.onAppended(() => { writes += 1; });
    const gone = AbortSignal.abort(new Error('no more'));
    const all = await Promise.allSettled([
      log.append(samples('a', 'b'), never),
      log.append([sampleRecord('c')], gone),
      log.append([{ ...sampleRecord('d'), batch: 1n } as unknown as BatchRecord], never),
      log.append([sampleRecord('e')], never),
    ]);
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(writes).toBe(1);
    await reopen();
    expect(await log.read({ limit: 10, pictures: true })).toEqual(samples('e', 'b', 'a'));
  });

  it('has each of many once when they are appended again after a try that came half through', async () => {
    await log.append(samples('a', 'b'), never);
    const other = await open();
    await other.append([sampleRecord('c')], never);
    await other.close();
    await log.append(samples('a', 'b', 'c', 'd'), never);
    expect(await log.read({ limit: 10, pictures: true })).toEqual(samples('d', 'c', 'b', 'a'));
  });

  it('reads what was appended, newest first', async () => {
    for (const id of ['a', 'b']) await log.append([sampleRecord(id)], never);
    expect(await log.read({ limit: 10, pictures: true })).toEqual([sampleRecord('b'), sampleRecord('a')]);
    await reopen();
    expect(await log.read({ limit: 1, pictures: true })).toEqual([sampleRecord('b')]);
  });

  it('does not append when the signal has aborted, and appends afterwards', async () => {
    await expect(log.append([sampleRecord('a')], AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    expect(await log.has('a')).toBe(false);
    await log.append([sampleRecord('a')], never);
    expect(await log.has('a')).toBe(true);
  });

  it('finishes what was asked for before it closes, and refuses what comes later', async () => {
    const appending = log.append([sampleRecord('a')], never);
    await log.close();
    await appending;
    await expect(log.append([sampleRecord('b')], never)).rejects.toMatchObject({ code: 'log_failed' });
    log = await open();
    expect(await Promise.all(['a', 'b'].map((id) => log.has(id)))).toEqual([true, false]);
  });

  it('can be closed twice', async () => {
    await log.close();
    await log.close();
  });
});
