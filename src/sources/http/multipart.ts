/** Splits a multipart body, as cameras send MJPEG, into its parts. */
import { LookoutError } from '../../errors.ts';
import { MAX_PICTURE_BYTES } from '../pictures/jpeg.ts';

export interface Part {
  readonly body: Buffer;
  /** When its first byte came, in milliseconds since 1970. */
  readonly arrivedMs: number;
}

/** Takes what it can from the beginning of the bytes; answers the rest, or null when more must come first. */
type Reader = (bytes: Buffer, nowMs: number) => Buffer | null;

const MAX_HEADER_BYTES = 8 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);

/** The boundary that a content type names, without the dashes that some cameras write there; null: none. */
export function boundaryOf(contentType: string): string | null {
  const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? [];
  return (quoted ?? plain ?? '').replace(/^-+/, '') || null;
}

/** Told each chunk as it comes, calls `onPart` for each whole part. Throws when it can be no multipart body. */
export function createSplitter(boundary: string, onPart: (part: Part) => void): (chunk: Buffer, nowMs: number) => void {
  const delimiter = Buffer.from(`--${boundary}`);
  let read: Reader = skip;
  /** Bytes that tell nothing without those after them. */
  let held = NOTHING;
  let body: Buffer[] = [];
  let bodyBytes = 0;
  let arrivedMs = 0;

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
      const missing = length - bodyBytes;
      collect(bytes.subarray(0, missing), nowMs);
      if (bodyBytes < length) return null;
      deliver(Buffer.concat(body));
      read = skip;
      return bytes.subarray(missing);
    };
  }

  function readToBoundary(bytes: Buffer, nowMs: number): Buffer | null {
    const [before, rest] = cut(bytes);
    collect(before, nowMs);
    if (rest) {
      deliver(withoutLineEnd(Buffer.concat(body)));
      read = readHeader;
    }
    return rest;
  }

  /** What stands before the boundary and after it; null and some bytes held back while it has not come. */
  function cut(bytes: Buffer): readonly [Buffer, Buffer | null] {
    const at = bytes.indexOf(delimiter);
    if (at >= 0) return [bytes.subarray(0, at), bytes.subarray(at + delimiter.length)];
    const sure = Math.max(0, bytes.length - delimiter.length + 1);
    held = bytes.subarray(sure);
    return [bytes.subarray(0, sure), null];
  }

  function collect(bytes: Buffer, nowMs: number): void {
    if (body.length === 0) arrivedMs = nowMs;
    body.push(bytes);
    bodyBytes += bytes.length;
    if (bodyBytes > MAX_PICTURE_BYTES) throw new LookoutError('stream_codec', `this is no MJPEG: a part has more than ${MAX_PICTURE_BYTES} bytes`);
  }

  function deliver(whole: Buffer): void {
    body = [];
    bodyBytes = 0;
    if (whole.length > 0) onPart({ body: whole, arrivedMs });
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
