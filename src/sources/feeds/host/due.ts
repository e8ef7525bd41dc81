/** The ticks of a fixed schedule by a camera's own clock: the first picture at or after each is due. */
import { SET_BACK_SECONDS } from '../../ffmpeg/learner.ts';

export interface Due {
  /** Whether a tick has come since the last picture that was taken. */
  has(ptsSeconds: number): boolean;
  take(ptsSeconds: number): void;
  /** How many ticks came in this time that no picture was taken for. */
  between(fromSeconds: number, toSeconds: number): number;
}

export function createDue(intervalSeconds: number): Due {
  let taken: number | null = null;
  const tickOf = (ptsSeconds: number): number => Math.floor(ptsSeconds / intervalSeconds);
  return {
    has: (pts) => taken === null || tickOf(pts) > tickOf(taken) || pts < taken - SET_BACK_SECONDS,
    take(pts) {
      taken = pts;
    },
    between: (from, to) => Math.max(0, tickOf(to) - Math.max(tickOf(from) - 1, taken === null ? -Infinity : tickOf(taken))),
  };
}
