/**
 * Decode times for pictures that come with the time at which they are shown: containers want both. Passive: told each
 * picture's in the order of arrival, which is that of decoding.
 */

export interface DecodeTimes {
  /** Whole ticks. `pts` is as told, unless it stands still or is earlier than any that could be decoded by then. */
  next(pts: number): { readonly pts: number; readonly dts: number };
}

/** Decoders hold back no more. */
const MOST_REORDERED = 16;

/** Of the pictures before one, how many are shown after it, at most: known when a group has been seen. */
export function reorderingOf(pts: readonly number[]): number {
  const later = pts.map((time, at) => pts.slice(Math.max(0, at - MOST_REORDERED), at).filter((before) => before > time).length);
  return Math.max(0, ...later);
}

/** `reordering`: as above; `spacing`: ticks from picture to picture, about. */
export function createDecodeTimes(reordering: number, spacing: number): DecodeTimes {
  /** Sorted: the times that are not decode times yet. */
  const waiting: number[] = [];
  let last = -Infinity;
  let seen = 0;
  return {
    next(pts) {
      if (seen === 0) for (let before = reordering; before > 0; before -= 1) waiting.push(pts - before * spacing);
      seen += 1;
      const at = waiting.findIndex((time) => time > pts);
      waiting.splice(at === -1 ? waiting.length : at, 0, pts);
      const dts = Math.max(waiting.shift() ?? pts, last + 1);
      last = dts;
      return { pts: Math.max(pts, dts), dts };
    },
  };
}
