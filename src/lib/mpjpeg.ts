/** Splits ffmpeg's mpjpeg output into pictures: every part carries its length, so nothing is guessed. */
import { Writable } from 'node:stream';

const HEADER_END = Buffer.from('\r\n\r\n');
/** A header longer than this, or a picture larger than this, is not mpjpeg. */
const MAX_HEADER_BYTES = 1024;
const MAX_PICTURE_BYTES = 64 * 1024 * 1024;

/** A stream to pipe mpjpeg into; calls `onPicture` with the bytes of each whole JPEG. */
export function mpjpegSplitter(onPicture: (jpeg: Buffer) => void): Writable {
  let chunks: Buffer[] = [];
  let held = 0;
  /** Bytes of the picture being collected; null while its header is. */
  let pictureBytes: number | null = null;

  function take(bytes: number): Buffer {
    const joined = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    const rest = joined.subarray(bytes);
    chunks = rest.length > 0 ? [rest] : [];
    held = rest.length;
    return joined.subarray(0, bytes);
  }

  /** Hands out what is complete; false when more bytes are needed. */
  function step(): boolean {
    if (pictureBytes !== null) {
      if (held < pictureBytes) return false;
      // A copy, so that a kept picture does not hold the chunks around it in memory.
      onPicture(Buffer.from(take(pictureBytes)));
      pictureBytes = null;
      return true;
    }
    if (chunks.length > 1) chunks = [Buffer.concat(chunks)];
    const end = chunks[0]?.indexOf(HEADER_END) ?? -1;
    if (end < 0) {
      if (held > MAX_HEADER_BYTES) throw new Error('not an mpjpeg stream: a part without a header');
      return false;
    }
    const header = take(end + HEADER_END.length).toString('latin1');
    const length = Number(/content-length:\s*(\d+)/i.exec(header)?.[1]);
    if (!(length > 0 && length <= MAX_PICTURE_BYTES)) throw new Error(`not an mpjpeg stream: part header ${JSON.stringify(header)}`);
    pictureBytes = length;
    return true;
  }

  return new Writable({
    highWaterMark: 1024 * 1024,
    // fluent-ffmpeg takes `close` for a consumer that has gone and reports an error when ffmpeg ends by itself.
    emitClose: false,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      held += chunk.length;
      try {
        while (step());
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
