/** Splits ffmpeg's mpjpeg output into pictures: every part carries its length, so nothing is guessed. */
import { Writable } from 'node:stream';

const NOTHING = Buffer.alloc(0);
const HEADER_END = Buffer.from('\r\n\r\n');
/** Nothing larger is taken for a picture, whoever sends it. */
export const MAX_PICTURE_BYTES = 64 * 1024 * 1024;
/** A header longer than this is not mpjpeg. */
const MAX_HEADER_BYTES = 1024;

/** A stream to pipe mpjpeg into; calls `onPicture` with the bytes of each whole JPEG. */
export function mpjpegSplitter(onPicture: (jpeg: Buffer) => void): Writable {
  let header: Buffer = NOTHING;
  /** The picture that is being filled; null while its header comes. */
  let picture: Buffer | null = null;
  let filled = 0;

  /** Answers what is left of the chunk. */
  function readHeader(chunk: Buffer): Buffer {
    const text = Buffer.concat([header, chunk]);
    const end = text.indexOf(HEADER_END);
    if (end < 0) {
      if (text.length > MAX_HEADER_BYTES) throw new Error('not an mpjpeg stream: a part without a header');
      header = text;
      return NOTHING;
    }
    // A buffer of its own: pictures are copied once, and a kept one holds nothing else in memory.
    picture = Buffer.allocUnsafeSlow(lengthIn(text.toString('latin1', 0, end)));
    filled = 0;
    header = NOTHING;
    return text.subarray(end + HEADER_END.length);
  }

  function fill(bytes: Buffer, chunk: Buffer): Buffer {
    const copied = chunk.copy(bytes, filled);
    filled += copied;
    if (filled === bytes.length) {
      picture = null;
      onPicture(bytes);
    }
    return chunk.subarray(copied);
  }

  return new Writable({
    highWaterMark: 1024 * 1024,
    // fluent-ffmpeg takes `close` for a consumer that has gone and reports an error when ffmpeg ends by itself.
    emitClose: false,
    write(chunk: Buffer, _encoding, done) {
      try {
        for (let rest = chunk; rest.length > 0;) rest = picture ? fill(picture, rest) : readHeader(rest);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function lengthIn(header: string): number {
  const length = Number(/content-length:\s*(\d+)/i.exec(header)?.[1]);
  if (!(length > 0 && length <= MAX_PICTURE_BYTES)) throw new Error(`not an mpjpeg stream: part header ${JSON.stringify(header)}`);
  return length;
}
