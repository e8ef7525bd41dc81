/** Leaves in a file that its parent holds too what this process is about to do in native code: it may die there. */
import { writeSync } from 'node:fs';
import { MARK_BYTES, MARKS_FD } from '../messages.ts';
import type { Mark } from '../native/mark.ts';

export interface Marks {
  /** For one turn; given back by `done`. */
  take(feed: number): { readonly mark: Mark; readonly done: () => void };
}

const EMPTY = Buffer.alloc(MARK_BYTES);

export function createMarks(): Marks {
  const taken = new Set<number>();
  /** Without room for it nobody will know what this process died of, and it goes on. */
  function write(place: number, mark: Uint8Array): void {
    try {
      writeSync(MARKS_FD, mark, 0, MARK_BYTES, place * MARK_BYTES);
    } catch {
      return;
    }
  }
  return {
    take(feed) {
      let place = 0;
      while (taken.has(place)) place += 1;
      taken.add(place);
      return {
        mark(step) {
          const mark = Buffer.alloc(MARK_BYTES);
          mark.write(`${feed} ${step}`);
          write(place, mark);
        },
        done() {
          write(place, EMPTY);
          taken.delete(place);
        },
      };
    },
  };
}
