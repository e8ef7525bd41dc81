/** Tries one step of a batch's road until it is done: a full disk ends some day, and no step may be left out or done twice. */
import { errorInfo } from '../errors.ts';
import { backoffMs, type Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { isTransient } from '../lib/transient.ts';
import type { Batch } from '../types.ts';
import type { Room } from '../store/janitor.ts';

/** Throws the signal's reason when it aborts, or the last error after so many tries; what passes by itself is no reason to give up. */
export type Insist = <Result>(batch: Batch, trouble: string, step: () => Promise<Result>, tries?: number) => Promise<Result>;

export interface Insistence {
  readonly insist: Insist;
  /** What stands in the way of batches now, in words, each trouble once. */
  readonly troubles: () => readonly string[];
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** What passes by itself may do so any moment. */
const LONGEST_TRANSIENT_MS = 5000;

export interface InsistenceParts {
  readonly room: Pick<Room, 'failed'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export function createInsistence({ room, clock, log, signal }: InsistenceParts): Insistence {
  /** Steps that have failed and are not done yet. */
  const failing = new Map<() => unknown, string>();
  const insist: Insist = async (batch, trouble, step, tries = Infinity) => {
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await step();
        } catch (error) {
          signal.throwIfAborted();
          const passes = isTransient(error);
          if (attempt >= tries && !passes) throw error;
          const { message } = errorInfo(error);
          failing.set(step, `${trouble}: ${message}`);
          if (await room.failed(error)) continue;
          log.repeated('error', trouble, `batch ${batch.id}`, { reason: message });
          await clock.sleep(backoffMs(attempt - 1, FIRST_PAUSE_MS, passes ? LONGEST_TRANSIENT_MS : LONGEST_PAUSE_MS), signal);
          signal.throwIfAborted();
        }
      }
    } finally {
      failing.delete(step);
    }
  };
  return { insist, troubles: () => [...new Set(failing.values())] };
}
