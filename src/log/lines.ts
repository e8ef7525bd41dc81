/** Lines of a file from its end, a block at a time; a reader may leap over what it does not want. */
import type { FileHandle } from 'node:fs/promises';
import { readAt } from '../lib/files.ts';

export interface Line {
  readonly text: string;
  /** Where it begins in the file. */
  readonly at: number;
}

export interface Lines {
  /** Those of the block before, the last one first; null at the start of the file. */
  previous(): Promise<Iterable<Line> | null>;
  /** Goes on with the lines that end at `position`, where a line begins. */
  leap(position: number): void;
}

/** Few summaries are longer: whoever leaps from one to the next reads little more than them. */
const BLOCK = 16_384;
const NEWLINE = 0x0a;

export async function linesFromTheEnd(handle: FileHandle): Promise<Lines> {
  let position = (await handle.stat()).size;
  /** The end of a line that begins before `position`. */
  let rest = Buffer.alloc(0);

  return {
    async previous() {
      while (position > 0) {
        const length = Math.min(BLOCK, position);
        position -= length;
        const block = Buffer.concat([await readAt(handle, position, length), rest]);
        // The first line of the block may begin in the block before it.
        const from = position === 0 ? 0 : block.indexOf(NEWLINE) + 1;
        rest = from === 0 ? block : block.subarray(0, from);
        if (from > 0 || position === 0) return linesOf(block, from, position);
      }
      return null;
    },
    leap(to) {
      position = to;
      rest = Buffer.alloc(0);
    },
  };
}

function* linesOf(block: Buffer, from: number, position: number): Generator<Line> {
  for (let end = block.length; end > from; ) {
    const start = Math.max(from, block.lastIndexOf(NEWLINE, end - 1) + 1);
    if (end > start) yield { text: block.toString('utf8', start, end), at: position + start };
    end = start - 1;
  }
}
