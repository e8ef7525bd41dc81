/** Tells when a stream has been silent for too long. Passive: told the pictures that left the decoder, and the time. */
import { FIRST_PICTURE_MS } from '../pictures/patience.ts';
import type { Skip } from './learner.ts';

export interface Silence {
  decoded(ptsSeconds: number, nowMs: number): void;
  /** Asked every `ROUND_MS`: for how long nothing came, once that is too long; null: not yet. */
  tooLongMs(nowMs: number, keyFrameSpacingSeconds: number | null): number | null;
}

export const ROUND_MS = 1000;
/** A round that comes later than this was held up, and what came meanwhile has not been read yet. */
const LATE_MS = 3000;
const LEAST_MS = 5000;
/** Cameras that save bits send a key frame once a minute. */
const RARE_KEY_FRAME_MS = 60_000;

/** Times are those of a clock that nobody sets. `chosen`: key frames alone were asked for, however rare they are. */
export function createSilence({ skip, chosen, intervalSeconds }: { skip: Skip; chosen: boolean; intervalSeconds: number }, startMs: number): Silence {
  let last: { readonly ms: number; readonly pts: number } | null = null;
  let spacingMs = 0;
  let roundMs = startMs;

  function patienceMs(keySpacingMs: number): number {
    const expectedMs = skip === 'nokey' ? Math.max(spacingMs, keySpacingMs) : spacingMs;
    if (last && expectedMs > 0) return Math.max(LEAST_MS, 3 * expectedMs);
    // One picture alone does not say when the next is due.
    if (last || chosen) return Math.max(chosen ? RARE_KEY_FRAME_MS : FIRST_PICTURE_MS, 3 * intervalSeconds * 1000);
    return FIRST_PICTURE_MS;
  }

  return {
    decoded(pts, ms) {
      // Halved at most: a burst does not make a slow camera look fast.
      if (last) spacingMs = Math.max(ms - last.ms, (pts - last.pts) * 1000, spacingMs / 2);
      last = { ms, pts };
    },
    tooLongMs(now, keyFrameSpacingSeconds) {
      const heldUp = now - roundMs > ROUND_MS + LATE_MS;
      roundMs = now;
      const silentMs = now - (last?.ms ?? startMs);
      return !heldUp && silentMs > patienceMs((keyFrameSpacingSeconds ?? 0) * 1000) ? silentMs : null;
    },
  };
}
