/** When what is copied of a camera begins. */
import { machineMs } from '../../../../lib/clock.ts';
import type { Held } from './held.ts';

export interface Beginning {
  /** A picture of this time is copied. */
  came(ptsSeconds: number): void;
  /** The camera's time of the first; Infinity: none came. */
  seconds(): number;
  /** When the first was taken, as `machineMs` has it; NaN: none came. */
  takenMs(): number;
}

export function createBeginning({ ageMs }: Pick<Held, 'ageMs'>): Beginning {
  let [fromSeconds, takenMs] = [Infinity, NaN];
  return {
    came(ptsSeconds) {
      fromSeconds = Math.min(fromSeconds, ptsSeconds);
      // Known ever better, until the clock is set by which it is known.
      takenMs = machineMs() - ageMs(fromSeconds);
    },
    seconds: () => fromSeconds,
    takenMs: () => takenMs,
  };
}
