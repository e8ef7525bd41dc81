/** Tries one step of a batch's road until it is done: a full disk ends some day, and no step may be left out or done twice. */
import { errorInfo } from '../errors.ts';
import { backoffMs, type Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Batch } from '../types.ts';

/** Throws the signal's reason when it aborts, or the last error after so many tries. */
export type Insist = <Result>(batch: Batch, trouble: string, step: () => Promise<Result>, tries?: number) => Promise<Result>;

export interface Insistence {
  readonly insist: Insist;
  /** What stands in the way of batches now, in words, each trouble once. */
  readonly troubles: () => readonly string[];
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export function createInsistence(clock: Clock, log: Log, signal: AbortSignal): Insistence {
  /** Steps that have failed and are not done yet. */
  const failing = new Map<() => unknown, string>();
  const insist: Insist = async (batch, trouble, step, tries = Infinity) => {
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await step();
        } catch (error) {
          signal.throwIfAborted();
          if (attempt >= tries) throw error;
          const { message } = errorInfo(error);
          const pauseMs = backoffMs(attempt - 1, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
          log.error(`batch ${batch.id}: ${trouble}`, { reason: message, next_try_ms: Math.round(pauseMs) });
          failing.set(step, `${trouble}: ${message}`);
          await clock.sleep(pauseMs, signal);
          signal.throwIfAborted();
        }
      }
    } finally {
      failing.delete(step);
    }
  };
  return { insist, troubles: () => [...new Set(failing.values())] };
}
