/** Time and pauses that an AbortSignal can end. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Ends early, without throwing, when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Node ends a timer of more than 24.8 days at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    let left = ms;
    try {
      do {
        await delay(Math.min(left, LONGEST_TIMER_MS), undefined, { signal });
        left -= LONGEST_TIMER_MS;
      } while (left > 0);
    } catch {
      // Aborted: the caller looks at its signal.
    }
  },
};

/** The pause before try number `attempt` (from 0): doubles from `baseMs` up to `capMs`, then half to all of it. */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number = Math.random): number {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return full * (0.5 + 0.5 * random());
}
