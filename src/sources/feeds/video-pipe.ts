/** How video comes from a capture host: a length, the number of the watch, what it is, and its bytes. */

import type { ErrorCode } from '../../errors.ts';

export type VideoPart =
  /** What each viewer needs first. */
  | { readonly is: 'head'; readonly bytes: Buffer }
  /** A fragment of one picture; a viewer may begin with a key frame. */
  | { readonly is: 'key' | 'picture'; readonly bytes: Buffer }
  /** No more comes of what was begun. */
  | { readonly is: 'end'; readonly why: { readonly code: ErrorCode; readonly message: string } };

type End = Extract<VideoPart, { readonly is: 'end' }>;

const KINDS = ['head', 'key', 'picture', 'end'] as const;
const HEADER_BYTES = 9;

/** In two pieces, so that no picture is copied. */
export function packed(watch: number, part: VideoPart): readonly [Buffer, Buffer] {
  const bytes = part.is === 'end' ? Buffer.from(JSON.stringify(part.why)) : part.bytes;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(bytes.length, 0);
  header.writeUInt32LE(watch, 4);
  header.writeUInt8(KINDS.indexOf(part.is), 8);
  return [header, bytes];
}

/** Answers what is to be told all that comes through the pipe. Only what comes in pieces is copied. */
export function createUnpacker(onPart: (watch: number, part: VideoPart) => void): (chunk: Buffer) => void {
  let header: Buffer = Buffer.alloc(0);
  /** Of the part that is coming: room for all of it, and how much is there. */
  let coming: Buffer | null = null;
  let filled = 0;

  function tell(head: Buffer, bytes: Buffer): void {
    const is = KINDS[head.readUInt8(8)] ?? 'end';
    onPart(head.readUInt32LE(4), is === 'end' ? { is, why: JSON.parse(bytes.toString()) as End['why'] } : { is, bytes });
  }

  /** Answers where in the chunk it goes on. */
  function takeHeader(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + HEADER_BYTES - header.length);
    header = header.length === 0 ? chunk.subarray(at, end) : Buffer.concat([header, chunk.subarray(at, end)]);
    return end;
  }

  return (chunk) => {
    for (let at = 0; at < chunk.length || header.length === HEADER_BYTES;) {
      if (header.length < HEADER_BYTES) {
        at = takeHeader(chunk, at);
        continue;
      }
      const length = header.readUInt32LE(0);
      const own = header;
      if (!coming && chunk.length - at >= length) {
        header = Buffer.alloc(0);
        tell(own, chunk.subarray(at, at + length));
        at += length;
        continue;
      }
      coming ??= Buffer.allocUnsafe(length);
      const copied = chunk.copy(coming, filled, at);
      filled += copied;
      at += copied;
      if (filled < length) return;
      const bytes = coming;
      [header, coming, filled] = [Buffer.alloc(0), null, 0];
      tell(own, bytes);
    }
  };
}
