/** The ticks of a fixed schedule: now, one interval from now, two … A late one does not move those after it. */
import { systemClock } from '../../lib/clock.ts';

export interface Ticks {
  /** A tick has come since the last that was taken. */
  due(): boolean;
  /** Takes the newest tick that has come; answers how many before it were never taken. */
  take(): number;
  /** What took long was not the consumer: ticks that passed meanwhile are not counted, and only the newest is still due. */
  forgive(): void;
  /** Resolves when a tick is due, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
}

export function createTicks(intervalSeconds: number): Ticks {
  const intervalMs = intervalSeconds * 1000;
  // Not the wall clock, which may be set while we wait.
  const start = performance.now();
  let taken = -1;
  const newest = (): number => Math.floor((performance.now() - start) / intervalMs);
  return {
    due: () => newest() > taken,
    take() {
      const passed = Math.max(0, newest() - taken - 1);
      taken = newest();
      return passed;
    },
    forgive() {
      taken = Math.max(taken, newest() - 1);
    },
    async wait(signal) {
      while (newest() <= taken && !signal.aborted) {
        const next = start + (taken + 1) * intervalMs;
        await systemClock.sleep(Math.max(1, next - performance.now()), signal);
      }
    },
  };
}
