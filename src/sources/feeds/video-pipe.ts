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

/** Answers what is to be told all that comes through the pipe. */
export function createUnpacker(onPart: (watch: number, part: VideoPart) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let held = 0;
  /** Before so much is there nothing can be made of it. */
  let needed = HEADER_BYTES;

  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    while (held >= needed) {
      const all = chunks.length === 1 ? chunk : Buffer.concat(chunks);
      needed = HEADER_BYTES + all.readUInt32LE(0);
      chunks = [all];
      if (held < needed) return;
      const is = KINDS[all.readUInt8(8)] ?? 'end';
      const bytes = all.subarray(HEADER_BYTES, needed);
      onPart(all.readUInt32LE(4), is === 'end' ? { is, why: JSON.parse(bytes.toString()) as End['why'] } : { is, bytes });
      chunk = all.subarray(needed);
      chunks = [chunk];
      held -= needed;
      needed = HEADER_BYTES;
    }
  };
}
