/** What is made of a batch when all looks at it are there: a record, a dead letter, or nothing. */
import { errorInfo } from '../errors.ts';
import type { Answers, Batch, BatchRecord } from '../types.ts';
import { anyLooked, failuresIn, mendableIn } from './failures.ts';
import type { Insist } from './insist.ts';
import type { OutcomeParts, Outcomes } from './outcomes.ts';
import type { MakeRecord } from './stages.ts';

export interface FinishParts extends OutcomeParts {
  readonly makeRecord: MakeRecord;
  /** All looks of a batch are there, and its frames are about to go. */
  readonly answered: (batch: Batch, answers: Answers) => Promise<void>;
}

/** A record that could not be made for want of something may be made a moment later; after this it never will. */
const RECORD_TRIES = 3;

export function createFinish(parts: FinishParts, insist: Insist, outcomes: Outcomes): (batch: Batch, answers: Answers) => Promise<void> {
  const { signal } = parts;
  return async (batch, answers) => {
    await parts.answered(batch, answers);
    const failures = failuresIn(answers);
    // Of a stream that is only watched a crash may leave a frame.
    if (batch.models.length === 0) {
      await outcomes.drop(batch, 'not_looked');
      return;
    }
    if (Object.keys(failures).length === batch.models.length) {
      await outcomes.bury(batch, failures);
      return;
    }
    let record: BatchRecord | null;
    try {
      record = await insist(batch, 'its record could not be made', () => parts.makeRecord(batch, answers, signal), RECORD_TRIES);
    } catch (error) {
      signal.throwIfAborted();
      await outcomes.bury(batch, { ...failures, record: errorInfo(error) });
      return;
    }
    if (record) {
      await outcomes.store(batch, record, mendableIn(answers));
      await outcomes.append(batch, record);
    } else {
      await outcomes.drop(batch, anyLooked(answers) ? 'nothing_found' : 'not_looked');
    }
  };
}
