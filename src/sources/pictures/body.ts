/** A picture while it comes in pieces: it is whole when its own bytes say so, whatever the connection does then. */
import { LookoutError } from '../../errors.ts';
import { fromStart, isWhole } from '../../lib/jpeg.ts';
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

/** Where a picture may end: of a JPEG and of a PNG. */
const ENDS = [Buffer.from([0xff, 0xd9]), Buffer.from('IEND')];
/** An end may be cut in two. */
const SEAM = 7;

export function createBody(): Body {
  let pieces: Buffer[] = [];
  let unseen: Buffer[] = [];
  let length = 0;
  let arrivedMs = 0;
  let seam = Buffer.alloc(0);
  let whole = false;

  /** The picture is looked through only where it may have become whole. */
  function mayEndIn(piece: Buffer): boolean {
    const across = Buffer.concat([seam, piece.subarray(0, SEAM)]);
    seam = Buffer.from(piece.length < SEAM ? across.subarray(-SEAM) : piece.subarray(-SEAM));
    return ENDS.some((end) => piece.includes(end) || across.includes(end));
  }

  function joined(): Buffer {
    const all = Buffer.concat(pieces);
    pieces = [all];
    return all;
  }

  return {
    add(piece, nowMs) {
      if (length === 0) arrivedMs = nowMs;
      pieces.push(piece);
      unseen.push(piece);
      length += piece.length;
      if (length > MAX_PICTURE_BYTES) throw new LookoutError('stream_codec', `this is no picture: it has more than ${MAX_PICTURE_BYTES} bytes`);
    },
    get length() {
      return length;
    },
    get arrivedMs() {
      return arrivedMs;
    },
    isWhole() {
      const mayEnd = unseen.filter(mayEndIn).length > 0;
      unseen = [];
      if (!whole && mayEnd) whole = isWhole(fromStart(joined()));
      return whole;
    },
    bytes: () => fromStart(joined()),
  };
}
