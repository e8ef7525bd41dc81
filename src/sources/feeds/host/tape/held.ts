/** What is kept of the seconds before something is copied. */
import { LookoutError } from '../../../../errors.ts';
import type { Piece } from './piece.ts';

export interface Held {
  readonly pieces: readonly Piece[];
  /** The camera's time now. */
  readonly nowSeconds: number;
  /** Milliseconds since the picture of this time was taken, as the camera's clock is now. */
  readonly ageMs: (ptsSeconds: number) => number;
  /** Why less is kept than should be. */
  readonly reason: string | null;
}

/** From the last key frame that is as old, or else the first there is. */
export function piecesSince({ pieces, nowSeconds }: Held, seconds: number): readonly Piece[] {
  return pieces.slice(Math.max(0, pieces.findLastIndex(({ key, ptsSeconds }) => key && ptsSeconds <= nowSeconds - seconds)));
}

/** Why what was copied from then on begins later than was wanted; null: it does not. */
export function lackOf({ nowSeconds, reason }: Held, seconds: number, fromSeconds: number): string | null {
  const heldSeconds = Math.max(0, nowSeconds - fromSeconds);
  return heldSeconds < seconds ? joined(`only ${heldSeconds.toFixed(1)} s before were kept`, reason) : null;
}

export function nothingCame(why: string | null, { reason }: Held): LookoutError {
  return new LookoutError('stream_stalled', joined('no key frame came that a clip could begin with', why, reason));
}

const joined = (...reasons: readonly (string | null)[]): string => reasons.filter((one) => one !== null).join(': ');
