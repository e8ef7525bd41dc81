/**
 * Turns a stream's own picture times into wall-clock time. The stream's clock tells the distance between pictures
 * exactly; arrival tells when, plus whatever delayed it. So the least delayed arrival of the last minute sets the clock,
 * and a burst after a hiccup does not make old pictures look new.
 */

export interface PtsClock {
  /** A picture or packet with this time arrived now (milliseconds since 1970). */
  arrived(ptsSeconds: number, nowMs: number): void;
  /** When the picture with this time was taken, in milliseconds since 1970; never later than `nowMs`. */
  wallMs(ptsSeconds: number, nowMs: number): number;
}

/** The least delay is kept for one to two of these, so that a camera's drifting clock is followed. */
const WINDOW_MS = 30_000;
/** A stream's clock that leaps by more than this against ours was set anew. */
const LEAP_MS = 10_000;

export function createPtsClock(): PtsClock {
  let current = Infinity;
  let previous = Infinity;
  let windowStart = 0;
  const best = (): number => Math.min(current, previous);

  return {
    arrived(pts, now) {
      const offset = now - pts * 1000;
      if (Math.abs(offset - best()) > LEAP_MS) {
        current = offset;
        previous = Infinity;
        windowStart = now;
        return;
      }
      if (now - windowStart > WINDOW_MS) {
        previous = current;
        current = Infinity;
        windowStart = now;
      }
      current = Math.min(current, offset);
    },
    wallMs: (pts, now) => Math.min(now, pts * 1000 + best()),
  };
}
