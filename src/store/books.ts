/**
 * The books: what became of every frame, on disk, so that they balance across restarts.
 *
 * `data/books.ndjson` gets one line for each batch (or loose frame) that is settled, synced before its files go. When it
 * has grown, it begins anew with the totals; the old one is kept beside it as `books.1.ndjson`.
 */
import { join } from 'node:path';
import { type Log, silentLog } from '../lib/log.ts';
import { isObject } from '../lib/objects.ts';
import type { Balance, Batch } from '../types.ts';
import { openJournal } from './journal.ts';
import type { ExpectOurs } from './own-folders.ts';
import { areTexts } from './stored-batch.ts';

export type Outcome = 'recorded' | 'dead_lettered' | 'dropped';

export interface BookEntry {
  readonly camera_id: string;
  /** The batch it is about, or the key of a frame that no batch had; null: frames that never were in the spool. */
  readonly batch: string | null;
  readonly outcome: Outcome;
  /** Why they were dropped. */
  readonly reason?: string;
  readonly frames: number;
  /** Names of dropped frames, or the time of one that never had a name, so that each can be told. */
  readonly files?: readonly string[];
  readonly at?: string;
  /** Dead letters that are dropped for room leave their old column. */
  readonly from?: 'dead_lettered';
}

export interface Books {
  /** A frame went into the spool. */
  captured(cameraId: string, frames?: number): void;
  /**
   * Durable when it returns, not there when it throws. Frames leave the spool (or, with `from`, the dead letters) for their
   * outcome; those of no batch are captured and settled at once, so that what was captured never falls.
   */
  settle(entry: BookEntry): Promise<void>;
  /** A dead letter goes back into the spool. Durable when it returns. */
  reopen(batch: Pick<Batch, 'id' | 'camera_id' | 'frames'>): Promise<void>;
  /** Nothing was ever entered: new books, or the old ones were moved away. */
  readonly fresh: boolean;
  /** Fresh books begin with the dead letters that are there. Durable when it returns. */
  beginWith(letters: readonly Pick<Batch, 'id' | 'camera_id' | 'frames'>[]): Promise<void>;
  /** Whether a batch, or a frame of none, was settled lately; asked for whatever a crash left in the spool. */
  settled(id: string): boolean;
  /** Whether a dead letter was dropped for room, and has not come again. */
  letterDropped(batch: string): boolean;
  of(cameraId: string): Balance;
  total(): Balance;
  close(): Promise<void>;
}

interface Column {
  recorded: number;
  dead_lettered: number;
  dropped: Record<string, number>;
}

const emptyColumn = (): Column => ({ recorded: 0, dead_lettered: 0, dropped: {} });

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

type Line = BookEntry | Reopened | Checkpoint;

const REMEMBERED_BATCHES = 5000;

export async function openBooks(dataDir: string, expectOurs?: ExpectOurs, log: Log = silentLog): Promise<Books> {
  const columns = new Map<string, Column>();
  const inSpool = new Map<string, number>();
  const settled = new Set<string>();

  const column = (cameraId: string): Column => {
    const known = columns.get(cameraId) ?? emptyColumn();
    columns.set(cameraId, known);
    return known;
  };

  function enter({ camera_id, batch, outcome, reason = 'unknown', frames, from }: BookEntry): void {
    const own = column(camera_id);
    if (outcome === 'dropped') own.dropped[reason] = (own.dropped[reason] ?? 0) + frames;
    else own[outcome] += frames;
    // Whatever brought them there may have stood in a line that is lost.
    if (from) own[from] = Math.max(0, own[from] - frames);
    if (!batch) return;
    // One that is entered again is there again.
    if (!from) settled.delete(letter(batch));
    remember(from ? letter(batch) : batch);
  }

  function takeBack({ reopened, camera_id, frames }: Reopened): void {
    const own = column(camera_id);
    own.dead_lettered = Math.max(0, own.dead_lettered - frames);
    settled.delete(reopened);
  }

  function begin({ checkpoint, settled: ids }: Checkpoint): void {
    for (const [cameraId, saved] of Object.entries(checkpoint)) columns.set(cameraId, saved);
    ids.forEach(remember);
  }

  function remember(id: string): void {
    settled.add(id);
    if (settled.size <= REMEMBERED_BATCHES) return;
    const [oldest] = settled;
    if (oldest !== undefined) settled.delete(oldest);
  }

  const journal = await openJournal<Line>(join(dataDir, 'books.ndjson'), {
    read: (value) => (isLine(value) ? value : null),
    sum: () => ({ checkpoint: Object.fromEntries(columns), settled: [...settled] }),
    log, expectOurs,
  });
  for (const line of journal.lines) {
    if ('checkpoint' in line) begin(line);
    else if ('reopened' in line) takeBack(line);
    else enter(line);
  }

  function moveSpool(cameraId: string, frames: number): void {
    inSpool.set(cameraId, (inSpool.get(cameraId) ?? 0) + frames);
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
    settle: (entry) => journal.append(entry, () => {
      enter(entry);
      if (!entry.from && entry.batch !== null) moveSpool(entry.camera_id, -entry.frames);
    }),
    reopen({ id, camera_id, frames }) {
      const line: Reopened = { reopened: id, camera_id, frames: frames.length };
      return journal.append(line, () => {
        takeBack(line);
        moveSpool(camera_id, frames.length);
      });
    },
    get fresh() {
      return journal.empty;
    },
    beginWith(letters) {
      const byCamera = new Map<string, Column>();
      for (const { camera_id, frames } of letters) {
        const own = byCamera.get(camera_id) ?? emptyColumn();
        own.dead_lettered += frames.length;
        byCamera.set(camera_id, own);
      }
      const line: Checkpoint = { checkpoint: Object.fromEntries(byCamera), settled: letters.map(({ id }) => id) };
      return journal.append(line, () => { begin(line); });
    },
    settled: (id) => settled.has(id),
    letterDropped: (batch) => settled.has(letter(batch)),
    of: (cameraId) => balance(columns.get(cameraId) ?? emptyColumn(), inSpool.get(cameraId) ?? 0),
    total() {
      const sum = emptyColumn();
      for (const own of columns.values()) {
        sum.recorded += own.recorded;
        sum.dead_lettered += own.dead_lettered;
        for (const [reason, frames] of Object.entries(own.dropped)) sum.dropped[reason] = (sum.dropped[reason] ?? 0) + frames;
      }
      return balance(sum, [...inSpool.values()].reduce((all, frames) => all + frames, 0));
    },
    close: () => journal.close(),
  };
}

/** What is remembered of a dead letter apart from its batch. */
function letter(batch: string): string {
  return `letter ${batch}`;
}

const OUTCOMES: readonly unknown[] = ['recorded', 'dead_lettered', 'dropped'] satisfies readonly Outcome[];

/** Anything else would spoil the sums from then on. */
function isLine(value: unknown): value is Line {
  if (!isObject(value)) return false;
  if ('checkpoint' in value) return isObject(value['checkpoint']) && Object.values(value['checkpoint']).every(isColumn) && areTexts(value['settled']);
  if (typeof value['camera_id'] !== 'string' || !isCount(value['frames'])) return false;
  if ('reopened' in value) return typeof value['reopened'] === 'string';
  const { batch, outcome, reason = '', files = [], from = 'dead_lettered' } = value;
  return (batch === null || typeof batch === 'string') && OUTCOMES.includes(outcome) && typeof reason === 'string' && areTexts(files) && from === 'dead_lettered';
}

function isColumn(value: unknown): value is Column {
  return isObject(value) && isCount(value['recorded']) && isCount(value['dead_lettered']) && isObject(value['dropped']) && Object.values(value['dropped']).every(isCount);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
