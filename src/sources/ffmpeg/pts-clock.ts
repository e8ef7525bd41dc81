/**
 * Turns a stream's own picture times into ages. The stream's clock tells the distance between pictures exactly; arrival
 * tells when, plus whatever delayed it. So the least delayed arrival of the last minute sets the clock, and a burst after
 * a hiccup does not make old pictures look new. A stream's clock that is set forward brings less delay at once, one that is
 * set back times that were before: then it is begun anew, and pictures from before, which may still be being decoded, keep
 * what was known of them. Where it comes back to what it was, a time was wrong, and what was known holds again.
 */

export interface PtsClock {
  /** A picture or packet with this time arrived now (milliseconds of a clock that nobody sets). */
  arrived(ptsSeconds: number, nowMs: number): void;
  /** How long ago the picture with this time was taken; 0 where its time says nothing: it would be to come, or nobody holds back what is so old. */
  ageMs(ptsSeconds: number, nowMs: number): number;
  /**
   * Servers that keep the last seconds for those who connect send them at once. As long as those are being read, the
   * newest that came is the least delayed, and looks new; once nothing less delayed has come for a while, it is known. Where
   * the stream's clock runs too fast each is less delayed than all before: that is not waited for.
   */
  settled(nowMs: number): boolean;
  /** Of what arrived last: another one since the clock was set. Times of two eras say nothing of how far apart they are. */
  era(): number;
}

/** The least delay is kept for one to two of these, so that a camera's drifting clock is followed. */
const WINDOW_MS = 30_000;
/** B-frames arrive after pictures that are later, but not by so much; nor is one less delayed by so much once none has been for a while. */
const SET_SECONDS = 1;
const SETTLED_MS = 500;
/** Nobody sends what was kept for so long. */
const LONGEST_MS = 10_000;
/** By so little the delay may become less at any time. */
const JITTER_MS = 50;
const OLDEST_MS = 10 * 60 * 1000;

export function createPtsClock(): PtsClock {
  let current = Infinity;
  let previous = Infinity;
  let windowStart = -Infinity;
  let newest = -Infinity;
  let improvedMs = Infinity;
  /** When the first came. */
  let beganMs = Infinity;
  /** The first time since the clock was set, and the least delay until then. */
  let first = -Infinity;
  let before = Infinity;
  let era = 0;

  const least = (): number => Math.min(current, previous);
  const settled = (now: number): boolean => now - improvedMs >= SETTLED_MS;

  return {
    arrived(pts, now) {
      const delay = now - pts * 1000;
      beganMs = Math.min(beganMs, now);
      if (pts < newest - SET_SECONDS || (settled(now) && delay < least() - SET_SECONDS * 1000)) {
        const isBack = Math.abs(delay - before) < SET_SECONDS * 1000;
        [first, before, current] = isBack ? [-Infinity, Infinity, before] : [pts, least(), Infinity];
        [newest, windowStart] = [pts, -Infinity];
        era += 1;
      }
      newest = Math.max(newest, pts);
      if (now - windowStart > WINDOW_MS) {
        previous = current;
        current = Infinity;
        windowStart = now;
      }
      if (delay < least() - JITTER_MS) improvedMs = now;
      current = Math.min(current, delay);
    },
    ageMs(pts, now) {
      const isBefore = before < Infinity && (pts < first - SET_SECONDS || pts > newest + SET_SECONDS);
      const age = now - pts * 1000 - (isBefore ? before : least());
      return age > 0 && age < OLDEST_MS ? age : 0;
    },
    settled: (now) => settled(now) || now - beganMs >= LONGEST_MS,
    era: () => era,
  };
}
