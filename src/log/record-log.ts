/**
 * A log: records, or events, in one file, a JSON array with one record per line (or NDJSON), appended in constant time.
 *
 * What is promised. Between appends the file is valid JSON. `append` returns when its record is on the disk. An append is
 * one write that begins at the closing bracket, so a program that reads the file at that very moment may see a parse
 * error, once; reading again mends it, and a reader never sees a record that is half there in a file that parses. After
 * a crash the file is repaired when it is opened: whole records stay, damaged bytes are kept in a file beside it. A file
 * that cannot be continued is kept under another name. Every append holds the lock `<file>.lock`, so other programs may
 * write too if they hold it.
 */
import { dirname } from 'node:path';
import { LookoutError } from '../errors.ts';
import { accessOf, hasCode, makeFolder, type FileAccess } from '../lib/files.ts';
import { lockFolderOrFile, type Lock } from '../lib/lock.ts';
import type { Log } from '../lib/log.ts';
import { saying } from '../lib/patience.ts';
import { createTurns } from '../lib/turns.ts';
import type { AppendLog, BatchRecord, Config, Item } from '../types.ts';
import { adopt, type Tail } from './adopt.ts';
import { release } from './alone.ts';
import { append, appendedSize, isAsLeft, type Line } from './append.ts';
import { createBudget } from './budget.ts';
import { catchUpRotated } from './catch-up.ts';
import { removeOutlived } from './compress.ts';
import { describe } from './describe.ts';
import { createReindex } from './edited.ts';
import { createLogReader } from './forward.ts';
import { appendToIndex } from './index-file.ts';
import { LAYOUTS } from './layout.ts';
import { createNewestIds } from './newest-ids.ts';
import { createPacking } from './packing.ts';
import { readRecords } from './read.ts';
import { rotate, rotationLimit } from './rotate.ts';
import { currentVolume, rotatedVolumes, unindexed, type RecordFiles, type Volume } from './shelf.ts';
import { sweepDrafts } from './sweep.ts';

/** Lines of one `append`, until they are written: by itself, or by one whose turn came before. */
interface Waiting {
  readonly lines: readonly Line[];
  readonly signal: AbortSignal;
  isWritten: boolean;
}

interface LogContext {
  readonly config: Pick<Config, 'predictions' | 'data_dir' | 'format' | 'rotate_bytes' | 'rotate_gzip' | 'records_max_bytes'> & Pick<RecordFiles, 'index'>;
  /** What is in it; without: records. */
  readonly kind?: Item['log'];
  readonly log: Log;
  readonly signal?: AbortSignal;
}

/** So much is written together: one write and one sync cost as much for many as for one. */
const TOGETHER_BYTES = 1_000_000;

/** Longer than it takes until an owner on another machine counts as gone. */
const LOCK_WAIT_MS = 15_000;

const never = new AbortController().signal;

/** `signal`: stops it while it is opened. */
export async function openLog<Value extends object = BatchRecord>({ config, kind = 'records', log, signal: opening = never }: LogContext): Promise<AppendLog<Value>> {
  const layout = LAYOUTS[config.format];
  const takeTurn = createTurns();
  await makeFolder(config.data_dir);
  const current = await currentVolume(config);
  const newestIds = createNewestIds(current, log);
  const reindex = createReindex(layout, log);
  /** null: somebody else wrote, or an append failed, so look again. */
  let tail: Tail | null = null;
  let closed = false;
  const listeners: (() => void)[] = [];
  /** In the order of their turns. */
  const waiting = new Set<Waiting>();
  let mayRotate = true;

  const budget = createBudget({ current, mostBytes: config.records_max_bytes, log });
  const packing = config.rotate_gzip ? createPacking(current, layout, log, (signal) => {
    budget.recount();
    return makeRoom(signal);
  }) : null;

  async function makeRoom(signal: AbortSignal): Promise<void> {
    if (config.records_max_bytes === null) return;
    await takeTurn(() => locked(() => budget.keepWithin(tail?.end ?? 0), signal), signal).catch((error: unknown) => { if (!signal.aborted) cannotDelete(error); });
  }

  const cannotDelete = (error: unknown): void => { log.repeated('warn', 'old records cannot be deleted', current.file, { reason: String(error) }); };

  const takeLock = (signal: AbortSignal): Promise<Lock> => lockFolderOrFile(current.file, { waitMs: LOCK_WAIT_MS }, signal);
  /** Where its folder is not there yet, or somebody removed it, that is made first. */
  const takeLockInFolder = (signal: AbortSignal): Promise<Lock> => takeLock(signal).catch(async (error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error;
    await makeFolder(dirname(current.file));
    return takeLock(signal);
  });

  const locked = async <Result>(work: (lock: Lock) => Promise<Result>, signal: AbortSignal): Promise<Result> => {
    let lock: Lock | null = null;
    try {
      lock = await takeLockInFolder(signal);
      return await work(lock);
    } catch (error) {
      if (error instanceof LookoutError || signal.aborted) throw error;
      throw new LookoutError('log_failed', `${current.file} cannot be written: ${String(error)}`, { cause: error });
    } finally {
      if (lock) await release(lock, current.file, log);
    }
  };

  /** How many more fit into the file before it is rotated. An empty one takes one of any size. */
  function fitting(before: Tail, lines: readonly Line[]): number {
    const limit = mayRotate ? rotationLimit(config.rotate_bytes, before.ours) : Infinity;
    let size = appendedSize(before, [], layout);
    const first = lines.findIndex((line, at) => (size += layout.between.length + line.bytes.length) > limit && !(before.empty && at === 0));
    return first === -1 ? lines.length : first;
  }

  /** Of one that cannot be read, the records are not found; all others are. */
  async function index(rotated: readonly Volume[], signal: AbortSignal): Promise<void> {
    let at = '';
    await saying(() => { log.info(`${at}, is read for its index, which is missing or older`); }, async () => {
      for (const [before, volume] of rotated.entries()) {
        at = `${volume.file}, ${before + 1} of ${rotated.length} rotated files`;
        await catchUpRotated(volume, layout, signal).catch((error: unknown) => {
          signal.throwIfAborted();
          log.repeated('warn', 'a rotated file cannot be indexed', volume.file, { reason: String(error) });
        });
      }
    });
  }

  const takeOver = (follows: FileAccess | null, signal: AbortSignal): Promise<Tail> =>
    saying(() => { log.info(`${current.file} is read for its index, which is missing or older`); }, () => adopt(current, layout, log, follows, signal));

  const write = async (lines: readonly Line[], lock: Lock): Promise<void> => {
    let before = tail;
    let rest = lines;
    tail = null;
    if (!before || !(await isAsLeft(current.file, before))) {
      // First: their records are found by the index of the current file no longer, once that is of what came in its place.
      await index(await unindexed(current), never);
      before = await takeOver(null, never);
      newestIds.forget();
      // What failed may have come through after all.
      const isThereAlready = await Promise.all(lines.map(({ facts }) => newestIds.has(facts.id)));
      rest = lines.filter((_, at) => !isThereAlready[at]);
    }
    let isIndexed = true;
    while (rest.length > 0) {
      if (fitting(before, rest) === 0) {
        const follows = await accessOf(current.file);
        mayRotate = await rotate(current, layout, log, never);
        before = await takeOver(follows, never);
        budget.recount();
        packing?.begin();
      }
      const now = rest.slice(0, Math.max(1, fitting(before, rest)));
      if (lock.compromised) await lock.expectHeld();
      await budget.keepWithin(appendedSize(before, now, layout)).catch(cannotDelete);
      const { tail: after, entries } = await append(current.file, layout, before, now);
      for (const { facts } of now) newestIds.add(facts.id);
      // What has not come into it is not to stand between what has: all behind it is made up for at the next append.
      isIndexed &&= await appendToIndex(current.index, entries).then(() => true, (error: unknown) => {
        log.repeated('warn', 'the index cannot be written', current.index, { reason: String(error) });
        return false;
      });
      before = after;
      rest = rest.slice(now.length);
    }
    if (isIndexed) tail = before;
  };

  /** With those that wait behind it. */
  function together(first: Waiting): readonly Waiting[] {
    const all: Waiting[] = [];
    let bytes = 0;
    for (const one of waiting) {
      if (one !== first && (all.length === 0 || one.signal.aborted)) continue;
      bytes += one.lines.reduce((sum, line) => sum + line.bytes.length, 0);
      if (all.length > 0 && bytes > TOGETHER_BYTES) break;
      all.push(one);
    }
    return all;
  }

  async function appendTogether(first: Waiting): Promise<void> {
    if (first.isWritten) return;
    if (closed) throw new LookoutError('log_failed', `${current.file} is closed`);
    const all = together(first);
    await locked((lock) => write(all.flatMap(({ lines }) => lines), lock), first.signal);
    for (const one of all) one.isWritten = true;
    for (const listener of listeners) listener();
  }

  await locked(async () => {
    tail = await takeOver(null, opening);
    await sweepDrafts(current, log).catch((error: unknown) => { log.repeated('warn', 'drafts that a kill left cannot be removed', current.file, { reason: String(error) }); });
    await removeOutlived(current, log);
    await index(await rotatedVolumes(current), opening);
    packing?.begin();
  }, opening);

  return {
    append: async (items, signal) => {
      const mine: Waiting = { lines: items.map((item) => ({ bytes: Buffer.from(JSON.stringify(item)), facts: describe(item) })), signal, isWritten: false };
      waiting.add(mine);
      try {
        await takeTurn(() => appendTogether(mine), signal);
      } finally {
        waiting.delete(mine);
      }
    },
    has: (id) => newestIds.hasEver(id),
    read: (query) => readRecords(current, query, reindex, log),
    reader: () => createLogReader(current, kind, reindex),
    onAppended: (listener) => { listeners.push(listener); },
    heldBy: async (told) => {
      budget.heldBy(told);
      await makeRoom(never);
    },
    close: async () => {
      await packing?.close();
      await takeTurn(() => Promise.resolve((closed = true)));
    },
  };
}
