/**
 * Tells when a stream that had to be decoded at more cost may be taken by its key frames again: its reason has been gone
 * for a whole window. Passive: told what came.
 */
import { createLearner } from './learner.ts';

/** A way that costs more is left when its reason has been gone for so long, at first; and each time twice as long. */
export const RETURN_MS = 600_000;
export const LONGEST_RETURN_MS = 86_400_000;

export interface Return {
  packet(ptsSeconds: number, key: boolean): void;
  /** A picture left the decoder. */
  decoded(): void;
  isDue(nowMs: number): boolean;
}

/** `blind`: no packets are told, and nothing but trying says whether they would be. */
export function createReturn(intervalSeconds: number, blind: boolean, windowMs: number, startMs: number): Return {
  let learner = createLearner(intervalSeconds, startMs);
  let windowStart = startMs;
  return {
    packet(pts, key) {
      learner.packet(pts, key);
    },
    decoded() {
      learner.decoded();
    },
    isDue(now) {
      if (now - windowStart < windowMs) return false;
      if (blind || learner.verdict(now) === 'nokey') return true;
      learner = createLearner(intervalSeconds, now);
      windowStart = now;
      return false;
    },
  };
}
