/** A picture as it came from a camera, to be copied and not decoded. */
import type { Unit } from '../../../rtp/unit.ts';

export interface Piece {
  /** Its own, Annex B. */
  readonly bytes: Buffer;
  readonly ptsSeconds: number;
  /** Another one since the camera's clock was set. */
  readonly era: number;
  readonly key: boolean;
  /** Annex B: what a decoder must know of it. */
  readonly parameterSets: Buffer;
}

export function pieceOf({ parts, ptsSeconds, key }: Unit, parameterSets: Buffer, era: number): Piece {
  return { bytes: Buffer.concat(parts), ptsSeconds, era, key, parameterSets };
}
