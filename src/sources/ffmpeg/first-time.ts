/**
 * The time of a connection's first picture. ffmpeg does not know that of the first packet and guesses one, which may be
 * seconds from all others; the packet is not told for that reason. Passive: told those after it.
 */
import type { Decoded } from '../../lib/ffmpeg-log.ts';

export interface FirstTime {
  /** A packet's time (seconds), as told. */
  packet(ptsSeconds: number): void;
  decoded(picture: Decoded): void;
  /** When the first picture that was picked was taken, by the stream's clock; null: nobody knows. */
  of(picture: Decoded): number | null;
}

/** A decoder that puts pictures into order hands out the first one after some others came. */
const ENOUGH_PACKETS = 600;
const SAME_SECONDS = 0.001;

export function createFirstTime(): FirstTime {
  const told: number[] = [];
  let guessed: number | null = null;
  return {
    packet(pts) {
      if (told.length < ENOUGH_PACKETS) told.push(pts);
    },
    decoded({ ptsSeconds }) {
      guessed ??= ptsSeconds;
    },
    of({ ptsSeconds }) {
      if (ptsSeconds !== guessed || told.some((pts) => Math.abs(pts - ptsSeconds) < SAME_SECONDS)) return ptsSeconds;
      const [second, third] = told.toSorted((a, b) => a - b);
      // It was just before the first that is told.
      return second === undefined || third === undefined ? null : second - (third - second);
    },
  };
}
