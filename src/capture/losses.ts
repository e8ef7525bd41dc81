/** Frames of one stream that were captured but never got into the spool: entered in the books now and then, as soon as those can be written. */
import { errorInfo } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { createTurns } from '../lib/turns.ts';
import type { Books } from '../store/books.ts';

export interface Losses {
  /** `at`: when the last of them was captured. Nobody waits for the books: on a disk that is slow, that would cost the next frames. */
  count(frames: number, reason: string, at: string): void;
  /** Enters what has not been entered yet. */
  settle(): Promise<void>;
}

/** The first is entered at once, and what comes soon after with the next of these. */
const WRITE_MS = 5000;

interface Owed {
  readonly frames: number;
  readonly at: string;
}

export function createLosses(camera_id: string, books: Books, clock: Clock, log: Log): Losses {
  /** By reason. */
  const owed = new Map<string, Owed>();
  const takeTurn = createTurns();
  let cancel: (() => void) | null = null;

  function owe(reason: string, { frames, at }: Owed): void {
    owed.set(reason, { frames: frames + (owed.get(reason)?.frames ?? 0), at });
  }

  const enter = (): Promise<void> => takeTurn(async () => {
    for (const [reason, one] of [...owed]) {
      owed.delete(reason);
      try {
        await books.settle({ camera_id, batch: null, outcome: 'dropped', reason, ...one });
      } catch (error) {
        owe(reason, one);
        log.repeated('error', 'the books could not be written; lost frames are entered later', camera_id, { frames: one.frames, reason: errorInfo(error).message });
      }
    }
  });

  function enterSoon(): void {
    if (cancel) return;
    cancel = clock.after(WRITE_MS, () => {
      cancel = null;
      if (owed.size > 0) enterSoon();
    });
    void enter();
  }

  return {
    count(frames, reason, at) {
      owe(reason, { frames, at });
      enterSoon();
    },
    async settle() {
      cancel?.();
      cancel = null;
      await enter();
    },
  };
}
