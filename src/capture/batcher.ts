/** Groups a stream's frames into batches. Passive: told frames and the time, it says when a batch is full or due. */
import type { Frame } from '../types.ts';

export interface Batcher {
  /** Frames of the open batch. */
  readonly size: number;
  /** True when the batch is full now. */
  add(frame: Frame, nowMs: number): boolean;
  /** When the open batch must be closed, in milliseconds since 1970; null: nothing is open. */
  dueAt(): number | null;
  /** The open batch's frames; a new batch begins. */
  take(): readonly Frame[];
}

export function createBatcher(size: number, deadlineMs: number): Batcher {
  let frames: Frame[] = [];
  let openedAt = 0;
  return {
    get size() {
      return frames.length;
    },
    add(frame, nowMs) {
      if (frames.length === 0) openedAt = nowMs;
      frames.push(frame);
      return frames.length >= size;
    },
    dueAt: () => (frames.length === 0 ? null : openedAt + deadlineMs),
    take() {
      const taken = frames;
      frames = [];
      return taken;
    },
  };
}
