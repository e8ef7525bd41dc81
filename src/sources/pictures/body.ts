/** A picture while it comes in pieces: it is whole when its own bytes say so, whatever the connection does then. */
import { LookoutError } from '../../errors.ts';
import { createEnd, fromStart } from '../../lib/jpeg.ts';
import { MAX_PICTURE_BYTES } from './jpeg.ts';

export interface Body {
  /** Throws `stream_codec` when there is more than any picture has. */
  add(piece: Buffer, nowMs: number): void;
  readonly length: number;
  /** When its first byte came, in milliseconds since 1970. */
  readonly arrivedMs: number;
  /** It is a picture that lacks nothing. Looks through what came since it was asked last. */
  isWhole(): boolean;
  /** All that came, without what stands before a picture. */
  bytes(): Buffer;
}

export function createBody(): Body {
  /** What came is its beginning: one that grows by its own size is seldom copied, however small the pieces are. */
  let room = Buffer.alloc(0);
  let length = 0;
  let arrivedMs = 0;
  const isAtEnd = createEnd();
  const bytes = (): Buffer => fromStart(room.subarray(0, length));

  return {
    add(piece, nowMs) {
      if (length === 0) arrivedMs = nowMs;
      const all = length + piece.length;
      if (all > MAX_PICTURE_BYTES) throw new LookoutError('stream_codec', `this is no picture: it has more than ${MAX_PICTURE_BYTES} bytes`);
      if (all > room.length) {
        const larger = Buffer.allocUnsafe(2 * all);
        room.copy(larger, 0, 0, length);
        room = larger;
      }
      piece.copy(room, length);
      length = all;
    },
    get length() {
      return length;
    },
    get arrivedMs() {
      return arrivedMs;
    },
    isWhole: () => isAtEnd(bytes()),
    bytes,
  };
}
