/**
 * The time of a connection's first picture. ffmpeg does not know that of the first packet and guesses one, which may be
 * seconds from all others; the packet is not told for that reason. Passive: told those after it.
 */
import type { Decoded } from '../../lib/ffmpeg-log.ts';

export interface FirstTime {
  /** A packet's time (seconds), as told, and whether it is a key frame. */
  packet(ptsSeconds: number, key: boolean): void;
  decoded(picture: Decoded): void;
  /** When the first picture that was picked was taken, by the stream's clock; null: nobody knows. */
  of(picture: Decoded): number | null;
}

/** A decoder that puts pictures into order hands out the first one after some others came. */
const ENOUGH_PACKETS = 600;
const SAME_SECONDS = 0.001;
/** What ffmpeg guesses. Packets may have that time as well: of a stream that began before it. */
const GUESS = 0;

export function createFirstTime(): FirstTime {
  const told: { readonly pts: number; readonly key: boolean }[] = [];
  let first: number | null = null;
  let ofFirst = 0;
  return {
    packet(pts, key) {
      if (told.length < ENOUGH_PACKETS) told.push({ pts, key });
    },
    decoded({ ptsSeconds }) {
      first ??= ptsSeconds;
      if (ptsSeconds === first) ofFirst += 1;
    },
    of({ ptsSeconds }) {
      const isTold = told.some(({ pts, key }) => Math.abs(pts - ptsSeconds) < SAME_SECONDS && (ptsSeconds !== GUESS || (key && ofFirst === 1)));
      if (ptsSeconds !== first || isTold) return ptsSeconds;
      const [second, third] = told.map(({ pts }) => pts).sort((a, b) => a - b);
      // It was just before the first that is told.
      return second === undefined || third === undefined ? null : second - (third - second);
    },
  };
}
