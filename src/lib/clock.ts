/** Time, pauses that an AbortSignal can end, and alarms. What waits takes its clock from outside, so that tests can make time pass. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds since 1970, as the clock on the wall says: it may be set back. */
  now(): number;
  /** Milliseconds that only go on. */
  monotonic(): number;
  /** Ends early, without throwing, when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `work` after so long, unless it is cancelled by what this returns. */
  after(ms: number, work: () => void): () => void;
}

/** Milliseconds of a clock that only goes on, and that all processes of this machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** When that was by the clock on the wall, as it is set now. */
export function wallTimeOf(machine: number): string {
  return new Date(Date.now() - (machineMs() - machine)).toISOString();
}

/** Node ends a timer of more than 24.8 days at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
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
  after(ms, work) {
    const timer = setTimeout(work, Math.min(ms, LONGEST_TIMER_MS));
    return () => { clearTimeout(timer); };
  },
};

/** The pause before try number `attempt` (from 0): doubles from `baseMs` up to `capMs`, then half to all of it. */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number = Math.random): number {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return full * (0.5 + 0.5 * random());
}
