/** Tells when a stream is no longer the one that was opened. Passive: told the pictures that left the decoder. */
import type { Decoded } from '../../lib/ffmpeg-log.ts';

export interface Continuity {
  /** What has changed, in words; null: nothing. */
  decoded(picture: Decoded): string | null;
}

/** Pictures of a damaged stream may come out of order by less. */
const SET_BACK_SECONDS = 1;

/** `live`: a camera sends it. A file may be put together from several, each with times of its own. */
export function createContinuity(live: boolean): Continuity {
  let last: Decoded | null = null;
  let pictures = 0;

  return {
    decoded(picture) {
      const before = last ?? picture;
      last = picture;
      pictures += 1;
      // ffmpeg would squeeze all that follows into the size of the first.
      if (picture.width !== before.width || picture.height !== before.height) {
        return `its pictures changed from ${before.width}x${before.height} to ${picture.width}x${picture.height}`;
      }
      // ffmpeg would tell the old time of every packet until the new time has come that far: none could be dated.
      const backSeconds = before.ptsSeconds - picture.ptsSeconds;
      // Of the first picture ffmpeg may not know the time, and guesses 0.
      return live && pictures > 2 && backSeconds > SET_BACK_SECONDS ? `the camera's clock went back by ${backSeconds.toFixed(0)} s` : null;
    },
  };
}
