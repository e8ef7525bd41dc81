/** Tells when a stream is no longer the one that was opened. Passive: told the pictures that left the decoder. */
import type { Decoded } from '../../lib/ffmpeg-log.ts';

export interface Continuity {
  /** What has changed, in words; null: nothing. */
  decoded(picture: Decoded): string | null;
}

export function createContinuity(): Continuity {
  let last: Decoded | null = null;

  return {
    decoded(picture) {
      const before = last ?? picture;
      last = picture;
      // ffmpeg would squeeze all that follows into the size of the first.
      if (picture.width !== before.width || picture.height !== before.height) {
        return `its pictures changed from ${before.width}x${before.height} to ${picture.width}x${picture.height}`;
      }
      return null;
    },
  };
}
