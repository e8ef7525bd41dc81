/** Copies pictures into one MP4, in turn, until there are no more or one comes that cannot stand in the same. */
import type { Track } from '../../native/mp4.ts';
import type { Piece } from './piece.ts';
import { breakBetween, isEnough, isSetBetween, ticksOf, trackOf, type VideoCodec } from './track.ts';

/** Where they go. Its calls come one after the other. */
export interface Outlet {
  open(track: Track): Promise<void>;
  write(bytes: Buffer, pts: number, key: boolean): Promise<void>;
  /** All was written. */
  complete(): Promise<void>;
  /** In any case, at the end. */
  close(): Promise<void>;
}

export interface Copying {
  /** In order of arrival, from a key frame on: what comes before is left out. Answers whether it is copied. */
  add(piece: Piece): boolean;
  /** There are no more. */
  end(): void;
  /** Resolves when all that was added is copied, and the outlet closed. */
  readonly ended: Promise<Copied>;
}

export interface Copied {
  /** null: nothing came. */
  readonly track: Track | null;
  readonly seconds: number;
  /** Why it ended by itself; null: it was ended. */
  readonly reason: string | null;
}

/** Of what waits: who writes so slowly writes no more. */
const MOST_BYTES = 32 * 1024 * 1024;

/** `isPast`: it ends with this picture, which is later than what is wanted. */
export function createCopying(codec: VideoCodec, outlet: Outlet, isPast: (piece: Piece) => boolean = () => false): Copying {
  let waiting: Piece[] = [];
  let waitingBytes = 0;
  let last: Piece | null = null;
  let isEnded = false;
  let reason: string | null = null;
  let wake = (): void => undefined;

  function stop(why: string | null): void {
    reason ??= isEnded ? null : why;
    isEnded = true;
    wake();
  }

  async function copy(): Promise<Copied> {
    let track: Track | null = null;
    let [first, newest] = [Infinity, -Infinity];
    try {
      while (!isEnded || waiting.length > 0) {
        if (waiting.length === 0 || (!track && !isEnded && !isEnough(waiting))) {
          await new Promise<void>((resolve) => { wake = resolve; });
          continue;
        }
        if (!track) {
          track = trackOf(codec, waiting);
          if (!track) {
            waiting = [];
            stop('the camera\'s pictures do not say how large they are');
            break;
          }
          await outlet.open(track);
        }
        const pieces = waiting;
        [waiting, waitingBytes] = [[], 0];
        for (const { bytes, ptsSeconds, key } of pieces) {
          await outlet.write(bytes, ticksOf(ptsSeconds), key);
          [first, newest] = [Math.min(first, ptsSeconds), Math.max(newest, ptsSeconds)];
        }
      }
      if (track) await outlet.complete();
      return { track, seconds: track ? newest - first + track.spacing / ticksOf(1) : 0, reason };
    } finally {
      isEnded = true;
      await outlet.close();
    }
  }

  return {
    ended: copy(),
    add(piece) {
      // By a clock that was set nobody knows how much later it is.
      if (isPast(piece) && !(last && isSetBetween(last, piece))) stop(null);
      if (isEnded || (!last && !piece.key)) return false;
      const why = (last && breakBetween(last, piece)) ?? (waitingBytes > MOST_BYTES ? 'it could not be written as fast as it came' : null);
      if (why !== null) {
        stop(why);
        return false;
      }
      last = piece;
      waiting.push(piece);
      waitingBytes += piece.bytes.length;
      wake();
      return true;
    },
    end() {
      stop(null);
    },
  };
}
