/**
 * The log: records in one file, a JSON array with one record per line (or NDJSON), appended in constant time.
 *
 * What is promised. Between appends the file is valid JSON. `append` returns when its record is on the disk. An append is
 * one write that begins at the closing bracket, so a program that reads the file at that very moment may see a parse
 * error, once; reading again mends it, and a reader never sees a record that is half there in a file that parses. After
 * a crash the file is repaired when it is opened: whole records stay, damaged bytes are kept in a file beside it. A file
 * that cannot be continued is kept under another name. Every append holds the lock `<file>.lock`, so other programs may
 * write too if they hold it.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LookoutError } from '../errors.ts';
import { accessOf } from '../lib/files.ts';
import { lockFolderOrFile, type Lock } from '../lib/lock.ts';
import type { Log } from '../lib/log.ts';
import { createTurns } from '../lib/turns.ts';
import type { BatchRecord, Config, RecordLog } from '../types.ts';
import { adopt, type Tail } from './adopt.ts';
import { append, appendedSize, isAsLeft } from './append.ts';
import { catchUpRotated } from './catch-up.ts';
import { describe } from './describe.ts';
import { appendToIndex } from './index-file.ts';
import { LAYOUTS } from './layout.ts';
import { createNewestIds } from './newest-ids.ts';
import { readRecords } from './read.ts';
import { rotate, rotationLimit } from './rotate.ts';
import { currentVolume, rotatedVolumes } from './shelf.ts';

interface LogContext {
  readonly config: Pick<Config, 'predictions' | 'data_dir' | 'format' | 'rotate_bytes'>;
  readonly log: Log;
}

/** Longer than it takes until an owner on another machine counts as gone. */
const LOCK_WAIT_MS = 15_000;

export async function openRecordLog({ config, log }: LogContext): Promise<RecordLog> {
  const layout = LAYOUTS[config.format];
  const takeTurn = createTurns();
  const never = new AbortController().signal;
  await mkdir(dirname(config.predictions), { recursive: true });
  await mkdir(config.data_dir, { recursive: true });
  const current = await currentVolume(config);
  const newestIds = createNewestIds(current);
  /** null: somebody else wrote, or an append failed, so look again. */
  let tail: Tail | null = null;
  let closed = false;
  let mayRotate = true;

  const locked = async <Result>(work: (lock: Lock) => Promise<Result>, signal: AbortSignal): Promise<Result> => {
    let lock: Lock | null = null;
    try {
      lock = await lockFolderOrFile(current.file, { waitMs: LOCK_WAIT_MS }, signal);
      return await work(lock);
    } catch (error) {
      if (error instanceof LookoutError || signal.aborted) throw error;
      throw new LookoutError('log_failed', `${current.file} cannot be written: ${String(error)}`, { cause: error });
    } finally {
      // The work is done or not done whatever becomes of the lock; a lock that stays behind goes with this process.
      await lock?.release().catch((error: unknown) => { log.repeated('warn', 'the lock cannot be released', current.file, { reason: String(error) }); });
    }
  };

  const isDueToRotate = (before: Tail, bytes: Buffer): boolean =>
    mayRotate && !before.empty && appendedSize(before, bytes, layout) > rotationLimit(config.rotate_bytes, before.ours);

  const write = async (record: BatchRecord, lock: Lock): Promise<void> => {
    let before = tail;
    tail = null;
    if (!before || !(await isAsLeft(current.file, before))) {
      before = await adopt(current, layout, log);
      newestIds.forget();
      // What failed may have come through after all.
      if (await newestIds.has(record.batch.id)) {
        tail = before;
        return;
      }
    }
    const bytes = Buffer.from(JSON.stringify(record));
    if (isDueToRotate(before, bytes)) {
      const follows = await accessOf(current.file);
      mayRotate = await rotate(current, layout, log);
      before = await adopt(current, layout, log, follows);
    }
    if (lock.compromised) await lock.expectHeld();
    const { tail: after, ...span } = await append(current.file, layout, before, bytes);
    newestIds.add(record.batch.id);
    try {
      await appendToIndex(current.index, [{ ...span, ...describe(record) }]);
      tail = after;
    } catch (error) {
      // The record is safe. The index catches up at the next append.
      log.repeated('warn', 'the index cannot be written', current.index, { reason: String(error) });
    }
  };

  await locked(async () => {
    tail = await adopt(current, layout, log);
    for (const volume of await rotatedVolumes(current)) await catchUpRotated(volume, layout);
  }, never);

  return {
    append: (record, signal) =>
      takeTurn(async () => {
        if (closed) throw new LookoutError('log_failed', `${current.file} is closed`);
        await locked((lock) => write(record, lock), signal);
      }, signal),
    has: (id) => newestIds.has(id),
    read: (query) => readRecords(current, query),
    close: async () => {
      await takeTurn(() => Promise.resolve((closed = true)));
    },
  };
}
