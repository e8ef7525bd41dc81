/** How long a stream waits before it connects again, by how its connections ended. */
import { backoffMs, type Clock } from '../lib/clock.ts';

/** How often in a row a camera has refused the login, however often its stream was woken meanwhile. */
export interface Refusals {
  /** For so many milliseconds it is not to be asked. */
  readonly leftMs: number;
  /** Once more. `known`: it has given pictures before. Answers for how many milliseconds it is not to be asked. */
  add(known: boolean): number;
  /** It gave a picture. */
  clear(): void;
}

const FIRST_MS = 1000;
const LONGEST_MS = 30_000;
/** Cameras lock accounts after a few wrong passwords in a row, and open them again after some minutes. */
export const REFUSED_MS = 300_000;
const LONGEST_REFUSED_MS = 3_600_000;
/** A camera that knew the login may refuse it while it boots. */
const TRIES_WHILE_BOOTING = 2;

/** After so many failures in a row, in milliseconds. */
export const pauseMsAfter = (failures: number): number => backoffMs(failures, FIRST_MS, LONGEST_MS);

export function createRefusals(clock: Pick<Clock, 'monotonic'>): Refusals {
  let count = 0;
  let untilMs = -Infinity;
  return {
    get leftMs() {
      return Math.max(0, untilMs - clock.monotonic());
    },
    add(known) {
      count += 1;
      const serious = count - (known ? TRIES_WHILE_BOOTING : 0);
      const pauseMs = serious <= 0 ? LONGEST_MS : Math.min(REFUSED_MS * 2 ** (serious - 1), LONGEST_REFUSED_MS);
      untilMs = clock.monotonic() + pauseMs;
      return pauseMs;
    },
    clear() {
      count = 0;
    },
  };
}
