/** Frames of one stream that were captured but never got into the spool: entered in the books, as soon as those can be written. */
import { errorInfo } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import type { Books } from '../store/books.ts';

export interface Losses {
  /** `at`: when the last of them was captured. */
  count(frames: number, reason: string, at: string): Promise<void>;
  /** Enters what could not be entered before. */
  settle(at: string): Promise<void>;
}

export function createLosses(camera_id: string, books: Books, log: Log): Losses {
  /** By reason. */
  const owed = new Map<string, number>();

  async function count(more: number, reason: string, at: string): Promise<void> {
    const frames = more + (owed.get(reason) ?? 0);
    owed.set(reason, frames);
    try {
      await books.settle({ camera_id, batch: null, outcome: 'dropped', reason, frames, at });
      owed.delete(reason);
    } catch (error) {
      log.error(`${camera_id}: the books could not be written; its ${frames} lost frames are entered later`, { reason: errorInfo(error).message });
    }
  }

  return {
    count,
    async settle(at) {
      for (const reason of [...owed.keys()]) await count(0, reason, at);
    },
  };
}
