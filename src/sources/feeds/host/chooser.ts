/**
 * Chooses which pictures of a camera are decoded: key frames cost least, and do where they come as often as pictures are
 * due. Passive: told what came, asked for a verdict.
 */

export interface Chooser {
  /** A unit came whole. */
  unit(ptsSeconds: number, key: boolean, nowMs: number): void;
  /** A unit that looked like a key frame was decoded by itself. */
  yielded(isPicture: boolean): void;
  /** null: not known yet, so that what came since the last key frame may still be needed. */
  verdict(): 'keyframes' | 'all' | null;
  /** Seconds between key frames; null: fewer than two seen. */
  keyFrameSpacing(): number | null;
}

/** Without a key frame for this long they are rare, or there are none. */
const LONGEST_WAIT_SECONDS = 10;
/** Key frames that are rarer than pictures are due by no more than this cost few pictures. */
const TOLERANCE = 1.05;
const SLACK_SECONDS = 0.5;
/** Streams that refresh themselves bit by bit flag what is no picture by itself. */
const MOST_IN_VAIN = 3;
/** By so much a unit's time differs from the one before where the camera's clock was set: ahead, and back. */
const SET_AHEAD_SECONDS = 60;
const SET_BACK_SECONDS = 1;
/** What costs more is left when its reason has been gone for so long, at first; and each time twice as long. */
const RETURN_MS = 600_000;
const LONGEST_RETURN_MS = 86_400_000;

export function createChooser(intervalSeconds: number, returnMs = RETURN_MS): Chooser {
  const longestUseful = Math.min(intervalSeconds, LONGEST_WAIT_SECONDS);
  let verdict: 'keyframes' | 'all' | null = null;
  let windowMs = returnMs;
  let first = NaN;
  let newest = NaN;
  let lastKey: number | null = null;
  let spacing: number | null = null;
  let inVain = 0;
  let rareMs = -Infinity;

  function decide(nowMs: number): void {
    const isRare = inVain >= MOST_IN_VAIN
      || newest - (lastKey ?? first) > longestUseful + SLACK_SECONDS
      || (spacing !== null && spacing > longestUseful * TOLERANCE);
    if (isRare) {
      rareMs = nowMs;
      verdict = 'all';
    } else if (verdict === 'all') {
      if (nowMs - rareMs < windowMs) return;
      windowMs = Math.min(2 * windowMs, LONGEST_RETURN_MS);
      verdict = 'keyframes';
    } else if (spacing !== null) verdict = 'keyframes';
  }

  return {
    unit(pts, key, nowMs) {
      const step = pts - newest;
      if (Number.isNaN(newest) || step > SET_AHEAD_SECONDS || step < -SET_BACK_SECONDS) {
        [first, newest, lastKey] = [pts, pts, null];
      }
      newest = Math.max(newest, pts);
      if (key) {
        if (lastKey !== null) spacing = pts - lastKey;
        lastKey = pts;
      }
      decide(nowMs);
    },
    yielded(isPicture) {
      inVain = isPicture ? 0 : inVain + 1;
    },
    verdict: () => verdict,
    keyFrameSpacing: () => spacing,
  };
}
