/** What is asked of a model: a frame of a stream; and what stands at its door: one such frame, or a whole batch. */
import type { Frame, Look, StreamRef } from '../types.ts';
import type { Waiting } from './camera-line.ts';
import type { Trial } from './trial.ts';

export interface Ask {
  readonly frame: Frame;
  readonly stream: StreamRef;
  /** When it came, in monotonic milliseconds. */
  readonly at: number;
  answer(look: Look): void;
  /** There is no answer: Lookout stops, or nobody waits for one any more. */
  giveUp(reason: unknown): void;
  /** Nobody waits for an answer any more: a call that is under way is its last. */
  isOver(): boolean;
}

export interface Item extends Waiting {
  /** One, or those of a batch. */
  readonly asks: readonly Ask[];
  readonly stream: StreamRef;
  /** Tries that failed. */
  readonly tries: number;
  /** Not to be tried before, in monotonic milliseconds. */
  readonly notBefore: number;
  /** Of the call of several that failed with it; null: of none. */
  readonly trial: Trial | null;
}

/** null: of nothing. */
export function itemOf(asks: readonly Ask[], more: Partial<Pick<Item, 'at' | 'tries' | 'trial'>> = {}): Item | null {
  const [first] = asks;
  if (!first) return null;
  const { frame, stream, at } = first;
  return {
    asks, stream, at, tries: 0, notBefore: 0, trial: null, ...more, camera: stream.camera_id, session: stream.session, sequence: frame.sequence,
    frames: asks.length, size: `${frame.width}x${frame.height}`, replaceable: stream.from === 'live',
  };
}
