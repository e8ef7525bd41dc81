/**
 * Chooses which pictures of a camera are decoded: key frames cost least, and do where they come as often as pictures are
 * due. Passive: told what came, asked for a verdict.
 */
import { LONGEST_WAIT_SECONDS, SET_AHEAD_SECONDS, SET_BACK_SECONDS, TOLERANCE } from '../../ffmpeg/learner.ts';
import { LONGEST_RETURN_MS, RETURN_MS } from '../../ffmpeg/return.ts';

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

const SLACK_SECONDS = 0.5;
/** Streams that refresh themselves bit by bit flag what is no picture by itself. */
const MOST_IN_VAIN = 3;

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
