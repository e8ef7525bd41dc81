/**
 * Tells which pictures lack something that was lost on the way: what the decoder made up, and what was made from that. A
 * record must not hold them, nor a model see them. Passive: told what the decoder says.
 */
import { UNDECODED, type DecodedPicture } from '../../lib/ffmpeg-log.ts';

export interface Damage {
  complained(words: string): void;
  /** A picture left the decoder: whether it is whole. */
  decoded(picture: DecodedPicture): boolean;
  /** Of one that left it lately. */
  isDamaged(ptsSeconds: number): boolean;
  /** Pictures since the last whole one that were damaged, or could not be decoded. */
  readonly inARow: number;
}

/** A picture or what it is made from is not there, in the words of ffmpeg's decoders. */
const LOST = new RegExp(`${UNDECODED.source}|Missing reference picture|Could not find ref with POC`);
/** Of a picture's blocks; some cameras' streams are a little wrong all the time. */
const MOST_MADE_UP = 0.1;
const BLOCK = 16;
/** Streams that refresh themselves bit by bit have no key frames, and are whole again by that time. */
const REFRESHED_SECONDS = 12;
const REMEMBERED = 100;

/** Whether a camera of which nothing could be decoded wholly, though so much came in this time, may send nothing better. */
export function isAllDamaged(pictures: number, sinceMs: number): boolean {
  return pictures >= 5 && sinceMs > 8000;
}

export function createDamage(): Damage {
  let isTainted = false;
  let taintedAt = NaN;
  let last = NaN;
  let inARow = 0;
  let damaged: readonly number[] = [];

  function taint(at: number): void {
    isTainted = true;
    taintedAt = at;
    inARow += 1;
  }

  return {
    get inARow() {
      return inARow;
    },
    complained(words) {
      if (LOST.test(words)) taint(last);
    },
    decoded({ ptsSeconds, width, height, key, madeUp }) {
      last = ptsSeconds;
      const blocks = Math.ceil(width / BLOCK) * Math.ceil(height / BLOCK);
      if (key || ptsSeconds - taintedAt > REFRESHED_SECONDS) isTainted = false;
      if (madeUp > MOST_MADE_UP * blocks) taint(ptsSeconds);
      if (isTainted) damaged = [...damaged.slice(1 - REMEMBERED), ptsSeconds];
      else inARow = 0;
      return !isTainted;
    },
    isDamaged: (ptsSeconds) => damaged.includes(ptsSeconds),
  };
}
