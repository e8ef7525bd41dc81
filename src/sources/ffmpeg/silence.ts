/** Tells when a stream has shown nothing for too long. Passive: told what came of it, and the time. */
import { FIRST_PICTURE_MS } from '../pictures/patience.ts';
import type { Skip } from './learner.ts';

export interface Silence {
  /** A packet came, by which a stream shows that it lives before its first picture: its key frame may be to come. */
  packet(mayBeToCome: boolean): void;
  /** A picture left the decoder. */
  decoded(ptsSeconds: number, nowMs: number): void;
  /** A picture was the first since another was due, by the stream's own times. */
  picked(nowMs: number): void;
  /** Asked every `ROUND_MS`: what is wrong, in words; null: nothing yet. */
  tooLong(nowMs: number, keyFrameSpacingSeconds: number | null): string | null;
}

export const ROUND_MS = 500;
/** A round that comes later than this was held up, and what came meanwhile has not been read yet. */
const LATE_MS = 3000;
const LEAST_MS = 5000;
/** Cameras that save bits send a key frame once a minute. */
const RARE_KEY_FRAME_MS = 60_000;

/** Times are those of a clock that nobody sets. `chosen`: key frames alone were asked for, however rare they are. */
export function createSilence({ skip, chosen, intervalSeconds }: { skip: Skip; chosen: boolean; intervalSeconds: number }, startMs: number): Silence {
  const intervalMs = intervalSeconds * 1000;
  let lives = false;
  let last: { readonly ms: number; readonly pts: number } | null = null;
  let pickedMs = NaN;
  let spacingMs = 0;
  let stepMs = RARE_KEY_FRAME_MS;
  let roundMs = startMs;

  /** How long nothing need be decoded. */
  function patienceMs(expectedMs: number): number {
    if (last && expectedMs > 0) return Math.max(LEAST_MS, 3 * expectedMs);
    // Nothing can be decoded before the first key frame.
    const least = chosen || (lives && !last) ? RARE_KEY_FRAME_MS : FIRST_PICTURE_MS;
    // One picture alone does not say when the next is due.
    return last || chosen ? Math.max(least, 3 * intervalMs) : least;
  }

  return {
    packet(mayBeToCome) {
      lives = mayBeToCome;
    },
    decoded(pts, ms) {
      if (last) {
        const before = stepMs;
        stepMs = (pts - last.pts) * 1000;
        // Halved at most: a burst does not make a slow camera look fast. Nor does a clock that is set ahead make it slow.
        spacingMs = Math.max(ms - last.ms, Math.min(stepMs, before), spacingMs / 2);
      } else pickedMs = ms;
      last = { ms, pts };
    },
    picked(ms) {
      pickedMs = ms;
    },
    tooLong(now, keyFrameSpacingSeconds) {
      const heldUp = now - roundMs > ROUND_MS + LATE_MS;
      roundMs = now;
      if (heldUp) return null;
      const expectedMs = skip === 'nokey' ? Math.max(spacingMs, (keyFrameSpacingSeconds ?? 0) * 1000) : spacingMs;
      const silentMs = now - (last?.ms ?? startMs);
      if (silentMs > patienceMs(expectedMs)) return `${last ? 'the pictures stopped' : 'no picture came'}: nothing for ${seconds(silentMs)} s`;
      const idleMs = last ? last.ms - pickedMs : 0;
      if (idleMs > Math.max(FIRST_PICTURE_MS, 3 * intervalMs, 3 * expectedMs)) return `pictures come, but by the camera's own times none was due for ${seconds(idleMs)} s: its time stamps stand still`;
      return null;
    },
  };
}

const seconds = (ms: number): string => (ms / 1000).toFixed(0);
