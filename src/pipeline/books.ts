/**
 * The books: what became of every frame, on disk, so that they balance across restarts.
 *
 * `data/books.ndjson` gets one line for each batch (or loose frame) that is settled, synced before its files go. When it
 * has grown, it begins anew with the totals; the old one is kept beside it as `books.1.ndjson`.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fsyncFolder, hasCode, writeAtomically } from '../lib/files.ts';
import type { Batch, Books as Balance } from '../types.ts';

export type Outcome = 'recorded' | 'dead_lettered' | 'dropped';

export interface Entry {
  readonly camera_id: string;
  /** The batch it is about; null: frames that never were in a batch. */
  readonly batch: string | null;
  readonly outcome: Outcome;
  /** Why they were dropped. */
  readonly reason?: string;
  readonly frames: number;
  /** Names of dropped frames, or the time of one that never had a name, so that each can be told. */
  readonly files?: readonly string[];
  readonly at?: string;
  /** Dead letters that were recorded by a replay, or dropped for room, leave their old column. */
  readonly from?: 'dead_lettered';
}

export interface Books {
  /** A frame went into the spool. */
  captured(cameraId: string, frames?: number): void;
  /** Durable when it returns. Frames leave the spool (or, with `from`, the dead letters) for their outcome. */
  settle(entry: Entry): Promise<void>;
  /** A dead letter goes back into the spool. Durable when it returns. */
  reopen(batch: Pick<Batch, 'id' | 'camera_id' | 'frames'>): Promise<void>;
  /** Whether a batch was settled lately; asked for whatever a crash left in the spool. */
  settled(batch: string): boolean;
  of(cameraId: string): Balance;
  total(): Balance;
  close(): Promise<void>;
}

interface Column {
  recorded: number;
  dead_lettered: number;
  dropped: Record<string, number>;
}

/** A dead letter that a replay put back into the spool. */
interface Reopened {
  readonly reopened: string;
  readonly camera_id: string;
  readonly frames: number;
}

interface Checkpoint {
  readonly checkpoint: Record<string, Column>;
  /** Batches settled last: their files may still be there after a crash. */
  readonly settled: readonly string[];
}

const RENEW_BYTES = 8 * 1024 * 1024;
const REMEMBERED_BATCHES = 5000;

export async function openBooks(dataDir: string): Promise<Books> {
  const file = join(dataDir, 'books.ndjson');
  const columns = new Map<string, Column>();
  const inSpool = new Map<string, number>();
  const settled = new Set<string>();
  let writing: Promise<void> = Promise.resolve();

  const column = (cameraId: string): Column => {
    const known = columns.get(cameraId) ?? { recorded: 0, dead_lettered: 0, dropped: {} };
    columns.set(cameraId, known);
    return known;
  };

  function enter({ camera_id, batch, outcome, reason = 'unknown', frames, from }: Entry): void {
    const own = column(camera_id);
    if (outcome === 'dropped') own.dropped[reason] = (own.dropped[reason] ?? 0) + frames;
    else own[outcome] += frames;
    if (from) own[from] -= frames;
    if (batch) remember(batch);
  }

  function takeBack({ reopened, camera_id, frames }: Reopened): void {
    column(camera_id).dead_lettered -= frames;
    settled.delete(reopened);
  }

  function remember(batch: string): void {
    settled.add(batch);
    if (settled.size <= REMEMBERED_BATCHES) return;
    const [oldest] = settled;
    if (oldest !== undefined) settled.delete(oldest);
  }

  const text = await readWhole(file);
  for (const line of text.split('\n').filter(Boolean).map((json) => JSON.parse(json) as Entry | Checkpoint | Reopened)) {
    if ('checkpoint' in line) {
      for (const [cameraId, saved] of Object.entries(line.checkpoint)) columns.set(cameraId, saved);
      line.settled.forEach(remember);
    } else if ('reopened' in line) {
      takeBack(line);
    } else {
      enter(line);
    }
  }
  let handle = await open(file, 'a');
  let bytes = Buffer.byteLength(text);
  // A torn last line says nothing; left there, it would spoil the next one.
  await handle.truncate(bytes);
  if (bytes > RENEW_BYTES) await renew();

  async function renew(): Promise<void> {
    const checkpoint: Checkpoint = { checkpoint: Object.fromEntries(columns), settled: [...settled] };
    const renewed = `${JSON.stringify(checkpoint)}\n`;
    await writeAtomically(`${file}.new`, renewed);
    await rename(file, join(dataDir, 'books.1.ndjson'));
    await rename(`${file}.new`, file);
    await fsyncFolder(dataDir);
    await handle.close();
    handle = await open(file, 'a');
    bytes = Buffer.byteLength(renewed);
  }

  function moveSpool(cameraId: string, frames: number): void {
    inSpool.set(cameraId, (inSpool.get(cameraId) ?? 0) + frames);
  }

  /** One line after the other; it counts once it is on the disk. */
  function append(line: Entry | Reopened, then: () => void): Promise<void> {
    writing = writing.catch(() => undefined).then(async () => {
      const text = `${JSON.stringify(line)}\n`;
      await handle.appendFile(text);
      await handle.datasync();
      then();
      bytes += Buffer.byteLength(text);
      if (bytes > RENEW_BYTES) await renew();
    });
    return writing;
  }

  const balance = (own: Column, in_spool: number): Balance => {
    const lost = Object.values(own.dropped).reduce((sum, frames) => sum + frames, 0);
    return { captured: own.recorded + own.dead_lettered + lost + in_spool, ...own, dropped: { ...own.dropped }, in_spool };
  };

  return {
    captured(cameraId, frames = 1) {
      column(cameraId);
      moveSpool(cameraId, frames);
    },
    settle: (entry) => append(entry, () => {
      enter(entry);
      if (!entry.from) moveSpool(entry.camera_id, -entry.frames);
    }),
    reopen({ id, camera_id, frames }) {
      const line: Reopened = { reopened: id, camera_id, frames: frames.length };
      return append(line, () => {
        takeBack(line);
        moveSpool(camera_id, frames.length);
      });
    },
    settled: (batch) => settled.has(batch),
    of: (cameraId) => balance(columns.get(cameraId) ?? { recorded: 0, dead_lettered: 0, dropped: {} }, inSpool.get(cameraId) ?? 0),
    total() {
      const sum: Column = { recorded: 0, dead_lettered: 0, dropped: {} };
      for (const own of columns.values()) {
        sum.recorded += own.recorded;
        sum.dead_lettered += own.dead_lettered;
        for (const [reason, frames] of Object.entries(own.dropped)) sum.dropped[reason] = (sum.dropped[reason] ?? 0) + frames;
      }
      return balance(sum, [...inSpool.values()].reduce((all, frames) => all + frames, 0));
    },
    async close() {
      await writing.catch(() => undefined);
      await handle.close();
    },
  };
}

/** The file up to its last whole line; the new one where a crash fell between the two renames of a renewal. */
async function readWhole(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    return text.slice(0, text.lastIndexOf('\n') + 1);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  try {
    await rename(`${file}.new`, file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
  return readWhole(file);
}
