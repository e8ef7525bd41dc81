/** What becomes of a batch: recorded, dead-lettered or dropped; entered in the books, and only then gone from the spool. */
import type { Log } from '../lib/log.ts';
import type { Batch, BatchRecord, RecordLog } from '../types.ts';
import type { Books, Outcome } from '../store/books.ts';
import type { DeadLetter, DeadLetters } from '../store/dead-letters.ts';
import type { Room } from '../store/janitor.ts';
import type { Insist } from './insist.ts';
import type { Spool } from '../store/spool.ts';

export interface OutcomeParts {
  readonly spool: Spool;
  readonly books: Books;
  readonly deadLetters: DeadLetters;
  readonly recordLog: RecordLog;
  readonly onRecorded: (batch: Batch, record: BatchRecord) => void;
  readonly room: Pick<Room, 'failed'>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Each is done when it returns, whatever stood in its way meanwhile; an abort leaves the rest to the next start. */
export interface Outcomes {
  /** Stores the finished record in the spool, and copies of the frames where a replay can mend what kept models from them. */
  store(batch: Batch, record: BatchRecord, mendable: DeadLetter['errors']): Promise<void>;
  /** Appends a stored record to the log, and enters the batch as recorded. */
  append(batch: Batch, record: BatchRecord): Promise<void>;
  /** Enters a batch as recorded whose record is in the log. */
  recorded(batch: Batch): Promise<void>;
  bury(batch: Batch, errors: DeadLetter['errors']): Promise<void>;
  drop(batch: Batch, reason: string): Promise<void>;
  /** Removes the files of a settled batch, and its session's folder with the last of them. */
  release(batch: Batch): Promise<void>;
}

export function createOutcomes(parts: OutcomeParts, insist: Insist): Outcomes {
  const { spool, books, deadLetters, recordLog, log, signal } = parts;

  async function settle(batch: Batch, outcome: Outcome, more: { readonly reason?: string; readonly files?: readonly string[] } = {}): Promise<void> {
    const entry = { camera_id: batch.camera_id, batch: batch.id, outcome, frames: batch.frames.length, ...more };
    await insist(batch, 'the books could not be written', () => books.settle(entry));
    await release(batch);
  }

  function release(batch: Batch): Promise<void> {
    return insist(batch, 'its files could not be removed', () => spool.release(batch));
  }

  const recorded = (batch: Batch): Promise<void> => settle(batch, 'recorded');

  return {
    release,
    async store(batch, record, mendable) {
      await insist(batch, 'its record could not be stored', async () => {
        if (Object.keys(mendable).length > 0) await deadLetters.add({ batch, errors: mendable, recorded: true });
        await spool.writeRecord(batch, record);
      });
    },
    async append(batch, record) {
      await insist(batch, 'its record could not be appended', () => recordLog.append([record], signal));
      parts.onRecorded(batch, record);
      await recorded(batch);
    },
    recorded,
    bury: (batch, errors) => deadLetters.holding(batch, async () => {
      await insist(batch, 'its dead letter could not be written', () => deadLetters.add({ batch, errors, recorded: false }));
      log.warn(`${batch.camera_id}: batch ${batch.id} went to the dead letters`, { errors });
      await settle(batch, 'dead_lettered');
    }),
    drop: (batch, reason) => settle(batch, 'dropped', { reason, files: batch.frames.map(({ key }) => key) }),
  };
}
