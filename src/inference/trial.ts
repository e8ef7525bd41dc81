/**
 * A call of several frames failed, and each is asked about by itself now: at fault is what fails alone too. Where nothing
 * does, it was their number. Passive.
 */

export interface Trial {
  /** One of its frames was answered, alone. */
  wentWell(): void;
  /** One of its frames failed alone. */
  failed(): void;
}

/** Tells either that a frame is at fault, as soon as one has failed, or that none is, once all were answered. */
export function createTrial(frames: number, aFrameIs: () => void, noneIs: () => void): Trial {
  let left = frames;
  return {
    wentWell() {
      left -= 1;
      if (left === 0) noneIs();
    },
    failed: aFrameIs,
  };
}
