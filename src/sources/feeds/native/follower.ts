/** Decodes one stream picture by picture, for cameras whose key frames do not do. */
import { LookoutError } from '../../../errors.ts';
import { FRAME_FLAGS, INTRA, type NativeFrame } from './binding.ts';
import { openDecoder, type Codec } from './decoder.ts';
import { isWhole } from './frame.ts';
import { encodeStill, type JpegSettings, type Still } from './jpeg.ts';
import type { Mark } from './mark.ts';

export interface Shown {
  /** That of the unit that it came in. */
  readonly pts: number;
  /** Something of it was made up, or of what was decoded since the last whole key frame. */
  readonly isDamaged: boolean;
  still(settings: JpegSettings): Promise<Still>;
  /** Holds some megabytes until then. */
  free(): void;
}

export interface Follower {
  /** A unit in order of arrival, and its time in whole ticks; resolves with the pictures that are due to be shown by now, in their order. */
  push(bytes: Buffer, pts: number): Promise<readonly Shown[]>;
  close(): Promise<void>;
}

/** Streams that refresh themselves bit by bit have no key frames, and are whole again by then. */
const REFRESHED_PICTURES = 300;

/** `noref`: without the pictures that no other needs. `parameterSets`: Annex B, may be empty. */
export async function openFollower(codec: Codec, parameterSets: Buffer, skip: 'noref' | 'none', mark: Mark): Promise<Follower> {
  const decoder = await openDecoder(codec, { err_detect: 'explode', ...(skip === 'noref' ? { skip_frame: 'noref' } : {}) }, mark);
  let head: Buffer | null = parameterSets;
  /** Pictures that come before what was damaged has been replaced, unless a key frame does. */
  let untilWhole = 0;
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();

  /** Two calls of one decoder must never meet. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  }

  function shown(frame: NativeFrame): Shown {
    // A key picture of other pictures' parts becomes whole only some pictures later.
    if ((frame.flags & FRAME_FLAGS.key) !== 0 && frame.pictType === INTRA) untilWhole = 0;
    if (!isWhole(frame)) untilWhole = REFRESHED_PICTURES;
    const isDamaged = untilWhole > 0;
    untilWhole = Math.max(0, untilWhole - 1);
    return {
      pts: Number(frame.pts), isDamaged,
      async still(settings) {
        // A second owner of the pixels, so that the first may go meanwhile.
        const own = frame.clone();
        if (!own) throw new LookoutError('internal', 'a picture was asked for that was freed');
        try {
          return await encodeStill(own, settings, mark);
        } finally {
          own.free();
        }
      },
      free() { frame.free(); },
    };
  }

  async function decoded(bytes: Buffer, pts: number): Promise<readonly Shown[]> {
    if (isClosed) throw new LookoutError('internal', 'a follower was used after its end');
    const pictures: Shown[] = [];
    try {
      if (!await decoder.send(bytes, BigInt(pts))) untilWhole = REFRESHED_PICTURES;
      for (;;) {
        const frame = await decoder.receive();
        if (frame === 'broken') untilWhole = REFRESHED_PICTURES;
        if (frame === null || frame === 'broken') return pictures;
        pictures.push(shown(frame));
      }
    } catch (error) {
      for (const picture of pictures) picture.free();
      throw error;
    }
  }

  return {
    push: (bytes, pts) => inTurn(async () => {
      const whole = head === null ? bytes : Buffer.concat([head, bytes]);
      head = null;
      return await decoded(whole, pts);
    }),
    close: () => inTurn(() => {
      if (!isClosed) decoder.free();
      isClosed = true;
      return Promise.resolve();
    }),
  };
}
