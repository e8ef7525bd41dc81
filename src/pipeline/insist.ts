/** Tries one step of a batch's road until it is done: a full disk ends some day, and no step may be left out or done twice. */
import { errorInfo } from '../errors.ts';
import { backoffMs, systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Batch } from '../types.ts';

/** Throws the signal's reason when it aborts, or the last error after so many tries. */
export type Insist = <Result>(batch: Batch, trouble: string, step: () => Promise<Result>, tries?: number) => Promise<Result>;

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export function createInsist(log: Log, signal: AbortSignal): Insist {
  return async (batch, trouble, step, tries = Infinity) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await step();
      } catch (error) {
        signal.throwIfAborted();
        if (attempt >= tries) throw error;
        const pauseMs = backoffMs(attempt - 1, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
        log.error(`batch ${batch.id}: ${trouble}`, { reason: errorInfo(error).message, next_try_ms: Math.round(pauseMs) });
        await systemClock.sleep(pauseMs, signal);
        signal.throwIfAborted();
      }
    }
  };
}
