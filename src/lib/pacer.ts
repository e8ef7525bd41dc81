/** Lets those who ask go one after the other, so far apart. */
import { systemClock } from './clock.ts';

/** Resolves when it is one's turn; early, without throwing, when the signal aborts. */
export type Pace = (signal: AbortSignal) => Promise<void>;

export function createPacer(gapMs: number): Pace {
  let free = -Infinity;
  return async (signal) => {
    const now = performance.now();
    const mine = Math.max(now, free);
    free = mine + gapMs;
    if (mine > now) await systemClock.sleep(mine - now, signal);
  };
}
