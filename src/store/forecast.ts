/** When a disk will be full if it goes on as it did lately. Passive: told how much room there is, and when. */

export interface Forecast {
  /** `room`: bytes that are left. `nowMs`: monotonic. Hours until none is; null: not for long, or not known yet. */
  hoursLeft(room: number, nowMs: number): number | null;
}

/** What happened within this counts, and after so much of it something can be said. */
const LATELY_MS = 3_600_000;
const KNOWN_MS = 600_000;
/** Beyond this nobody has to hear of it. */
const SOON_HOURS = 24;

export function createForecast(): Forecast {
  let samples: readonly { readonly room: number; readonly atMs: number }[] = [];
  return {
    hoursLeft(room, nowMs) {
      samples = [...samples.filter(({ atMs }) => nowMs - atMs <= LATELY_MS), { room, atMs: nowMs }];
      const [first] = samples;
      if (!first || nowMs - first.atMs < KNOWN_MS || room >= first.room) return null;
      const hours = room / (first.room - room) * (nowMs - first.atMs) / 3_600_000;
      return hours <= SOON_HOURS ? hours : null;
    },
  };
}
