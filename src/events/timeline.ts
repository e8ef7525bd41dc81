/**
 * Capture times of a session on a clock that nobody sets: what goes on while a machine's clock is set is one episode.
 *
 * Frames are numbered in the order of their capture, so a time before that of the frame before says that the clock was set
 * back; and a time that is later than it can be, by how long ago the frame before was heard of, that it was set forward. By
 * less than a second neither is told from frames that overtake each other, or are now longer and now shorter on their way.
 */
import type { Frame, StreamRef } from '../types.ts';
import type { Moment } from './seen.ts';

export interface Timed {
  /** Milliseconds on the clock that nobody sets. */
  readonly time: number;
  /** By which it is ahead of the capture time. */
  readonly shift: number;
}

export interface Timeline {
  at(frame: Frame, stream: Pick<StreamRef, 'interval_seconds' | 'from'>, moment: Moment): Timed;
}

/** Of live frames none is heard of later; by less no jump is told from a slow model. */
const LONGEST_WAY_MS = 600_000;
/** Times that a clock was set that are remembered, for frames that are on their way. */
const MOST_JUMPS = 16;
const LEAST_JUMP_MS = 1000;

export function createTimeline(): Timeline {
  /** From these frames on; frames before the first are nearest to that. */
  let jumps: readonly { readonly sequence: number; readonly shift: number }[] = [{ sequence: 0, shift: 0 }];
  let newest: { readonly sequence: number; readonly time: number; readonly isLive: boolean; readonly heard: number; readonly wayMs: number } | null = null;
  const shiftAt = (sequence: number): number => (jumps.findLast((jump) => jump.sequence <= sequence) ?? jumps[0])?.shift ?? 0;

  return {
    at({ sequence, captured_at }, { interval_seconds, from }, { now, monotonic }) {
      const captured = Date.parse(captured_at);
      const before = newest;
      if (before && sequence <= before.sequence) return { time: captured + shiftAt(sequence), shift: shiftAt(sequence) };
      let shift = shiftAt(sequence);
      if (before) {
        const latest = before.isLive && from === 'live' ? before.time + (monotonic - before.heard) + before.wayMs : Infinity;
        const intervalMs = 1000 * interval_seconds;
        if (captured + shift < before.time - LEAST_JUMP_MS || captured + shift > latest + Math.max(LEAST_JUMP_MS, intervalMs)) {
          shift = before.time + intervalMs - captured;
          jumps = [...jumps, { sequence, shift }].slice(-MOST_JUMPS);
        }
      }
      const wayMs = Math.min(Math.max(0, now - captured), LONGEST_WAY_MS);
      newest = { sequence, time: captured + shift, isLive: from === 'live', heard: monotonic, wayMs };
      return { time: captured + shift, shift };
    },
  };
}
