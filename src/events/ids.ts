/** Ids of events and of what is said of them: UUIDv7 that rise in the order in which they are given, whatever becomes of the clock. */
import { v7 } from 'uuid';

export interface Ids {
  readonly next: () => string;
  /** An earlier run gave this one: those that are given from now on come after it. */
  readonly after: (id: string) => void;
}

/** `now`: milliseconds since 1970. */
export function createIds(now: () => number): Ids {
  let [msecs, seq] = [0, 0];
  return {
    next() {
      const at = now();
      [msecs, seq] = at > msecs ? [at, 0] : [msecs, seq + 1];
      return v7({ msecs, seq });
    },
    after(id) {
      const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(id) ?? [];
      if (high !== undefined && low !== undefined) msecs = Math.max(msecs, Number.parseInt(high + low, 16) + 1);
    },
  };
}
