/**
 * Turns a stream's own picture times into ages. The stream's clock tells the distance between pictures exactly; arrival
 * tells when, plus whatever delayed it. So the least delayed arrival of the last minute sets the clock, and a burst after
 * a hiccup does not make old pictures look new. A stream's clock that is set forward brings less delay, and is believed
 * for that; one that is set back would bring more, and is noticed by itself.
 */

export interface PtsClock {
  /** A picture or packet with this time arrived now (milliseconds of a clock that nobody sets). */
  arrived(ptsSeconds: number, nowMs: number): void;
  /** How long ago the picture with this time was taken; never negative. */
  ageMs(ptsSeconds: number, nowMs: number): number;
  /**
   * Servers that keep the last seconds for those who connect send them at once. As long as those are being read, the
   * newest that came is the least delayed, and looks new; once nothing less delayed has come for a while, it is known.
   */
  settled(nowMs: number): boolean;
}

/** The least delay is kept for one to two of these, so that a camera's drifting clock is followed. */
const WINDOW_MS = 30_000;
/** B-frames arrive after pictures that are later, but not by so much. */
const SET_BACK_SECONDS = 1;
const SETTLED_MS = 500;
/** By so little the delay may become less at any time. */
const JITTER_MS = 50;

export function createPtsClock(): PtsClock {
  let current = Infinity;
  let previous = Infinity;
  let windowStart = -Infinity;
  let newest = -Infinity;
  let improvedMs = Infinity;

  return {
    arrived(pts, now) {
      if (pts < newest - SET_BACK_SECONDS) {
        current = Infinity;
        newest = pts;
        windowStart = -Infinity;
      }
      newest = Math.max(newest, pts);
      if (now - windowStart > WINDOW_MS) {
        previous = current;
        current = Infinity;
        windowStart = now;
      }
      const delay = now - pts * 1000;
      if (delay < Math.min(current, previous) - JITTER_MS) improvedMs = now;
      current = Math.min(current, delay);
    },
    ageMs: (pts, now) => Math.max(0, now - pts * 1000 - Math.min(current, previous)),
    settled: (now) => now - improvedMs >= SETTLED_MS,
  };
}
