/** When what is copied of a camera begins. */
import type { Held } from './held.ts';

export interface Beginning {
  /** A picture of this time is copied. */
  came(ptsSeconds: number): void;
  /** The camera's time of the first; Infinity: none came. */
  seconds(): number;
  /** Milliseconds since the first was taken. */
  msAgo(): number;
}

export function createBeginning({ ageMs }: Pick<Held, 'ageMs'>): Beginning {
  let [fromSeconds, takenMs] = [Infinity, NaN];
  return {
    came(ptsSeconds) {
      fromSeconds = Math.min(fromSeconds, ptsSeconds);
      // Known ever better, until the clock is set by which it is known.
      takenMs = performance.now() - ageMs(fromSeconds);
    },
    seconds: () => fromSeconds,
    msAgo: () => performance.now() - takenMs,
  };
}
