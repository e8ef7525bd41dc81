/**
 * Tells when a stream that had to be decoded at more cost may be taken by its key frames again: its reason has been gone
 * for a whole window. Passive: told what came.
 */
import { createLearner } from './learner.ts';

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
