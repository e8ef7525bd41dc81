/** Splits a multipart body, as cameras send MJPEG, into its parts. */
import { LookoutError } from '../../errors.ts';
import { createBody } from '../pictures/body.ts';

export interface Part {
  readonly body: Buffer;
  /** When its first byte came, in milliseconds since 1970. */
  readonly arrivedMs: number;
}

/** Takes what it can from the beginning of the bytes; answers the rest, or null when more must come first. */
type Reader = (bytes: Buffer, nowMs: number) => Buffer | null;

const MAX_HEADER_BYTES = 8 * 1024;
const [CR, LF] = [0x0d, 0x0a];
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Told each chunk as it comes, calls `onPart` for each whole part. The stream's own first line says what parts it;
 * `boundary`, which the header named, where it does not. Throws when it can be no multipart body.
 */
export function createSplitter(boundary: string | null, onPart: (part: Part) => void): (chunk: Buffer, nowMs: number) => void {
  let delimiter = Buffer.from(`--${boundary ?? ''}`);
  let read: Reader = begin;
  /** Bytes that tell nothing without those after them. */
  let held = NOTHING;
  let body = createBody();

  function begin(bytes: Buffer): Buffer | null {
    const start = bytes.findIndex((byte) => byte !== CR && byte !== LF);
    const end = start < 0 ? -1 : bytes.indexOf(LF, start);
    if (end < 0 && bytes.length <= MAX_HEADER_BYTES) {
      held = bytes;
      return null;
    }
    const line = bytes.toString('latin1', start, end).trim();
    if (line.startsWith('--') || line === boundary) {
      // Of one that names more than the header did, the part that both have is sure to come again.
      if (!line.startsWith(delimiter.toString('latin1')) || boundary === null) delimiter = Buffer.from(line, 'latin1');
    } else if (boundary === null) {
      throw new LookoutError('stream_codec', 'the camera answers with a multipart stream and does not say what parts it');
    }
    read = skip;
    return bytes;
  }

  function skip(bytes: Buffer): Buffer | null {
    const [, rest] = cut(bytes);
    if (rest) read = readHeader;
    return rest;
  }

  function readHeader(bytes: Buffer): Buffer | null {
    const end = headerEnd(bytes);
    if (end === null) {
      if (bytes.length > MAX_HEADER_BYTES) throw new LookoutError('stream_codec', `this is no MJPEG: a part's header has more than ${MAX_HEADER_BYTES} bytes`);
      held = bytes;
      return null;
    }
    const [, length] = /^content-length:\s*(\d+)/im.exec(bytes.toString('latin1', 0, end)) ?? [];
    read = length === undefined ? readToBoundary : readCounted(Number(length));
    return bytes.subarray(end);
  }

  function readCounted(length: number): Reader {
    return (bytes, nowMs) => {
      const missing = length - body.length;
      body.add(bytes.subarray(0, missing), nowMs);
      if (body.length < length) return null;
      deliver(body.bytes());
      read = skip;
      return bytes.subarray(missing);
    };
  }

  function readToBoundary(bytes: Buffer, nowMs: number): Buffer | null {
    const [before, rest] = cut(bytes);
    if (before.length > 0) body.add(before, nowMs);
    if (rest) {
      deliver(withoutLineEnd(body.bytes()));
      read = readHeader;
    } else if (body.isWhole()) {
      // Without the next one's beginning, which may come much later.
      deliver(body.bytes());
      read = skip;
    }
    return rest;
  }

  /** What stands before the boundary and after it; null while it has not come: bytes that may be its beginning are held back. */
  function cut(bytes: Buffer): readonly [Buffer, Buffer | null] {
    const at = bytes.indexOf(delimiter);
    if (at >= 0) return [bytes.subarray(0, at), bytes.subarray(at + delimiter.length)];
    let begun = Math.min(bytes.length, delimiter.length - 1);
    while (begun > 0 && !bytes.subarray(-begun).equals(delimiter.subarray(0, begun))) begun -= 1;
    const sure = bytes.length - begun;
    held = bytes.subarray(sure);
    return [bytes.subarray(0, sure), null];
  }

  function deliver(picture: Buffer): void {
    const { arrivedMs } = body;
    body = createBody();
    if (picture.length > 0) onPart({ body: picture, arrivedMs });
  }

  return (chunk, nowMs) => {
    let rest: Buffer | null = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    held = NOTHING;
    while (rest && rest.length > 0) rest = read(rest, nowMs);
  };
}

/** Where the body begins: after the first empty line, with carriage returns or without. */
function headerEnd(bytes: Buffer): number | null {
  const ends = ['\r\n\r\n', '\n\n'].flatMap((line) => (bytes.includes(line) ? [bytes.indexOf(line) + line.length] : []));
  return ends.length > 0 ? Math.min(...ends) : null;
}

/** Without the line end, and the dashes, that belong to the boundary after it. */
function withoutLineEnd(bytes: Buffer): Buffer {
  const end = /(\r?\n)?-*$/.exec(bytes.toString('latin1', Math.max(0, bytes.length - 80)));
  return bytes.subarray(0, bytes.length - (end?.[0].length ?? 0));
}
