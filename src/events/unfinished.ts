/** Events that have ended, whose last entry waits for their clip: for whoever looks at the log they go on. */
import type { EventEntry } from '../types.ts';
import type { EventState, OpenState } from './state.ts';

export interface Unfinished {
  /** `write` is called when the clip is there. */
  hold(entry: EventEntry, clip: Promise<void>, write: () => void): void;
  /** The last entry of an event is on its way into the log. */
  leaves(event: string): void;
  /** The state as it goes with the log. */
  in(state: EventState): EventState;
  /** Resolves when none waits. */
  over(): Promise<void>;
}

export function createUnfinished(): Unfinished {
  const open = new Map<string, OpenState>();
  const waiting = new Set<Promise<void>>();

  return {
    hold(entry, clip, write) {
      open.set(entry.id, { entry: { ...entry, sequence: entry.sequence - 1, state: 'going_on', ended_at: null, ended_by: null, batches: null }, batches: entry.batches ?? [], limits: null });
      const done: Promise<void> = clip.then(write, write).finally(() => { waiting.delete(done); });
      waiting.add(done);
    },
    leaves(event) {
      open.delete(event);
    },
    in: (state) => (open.size === 0 ? state : { ...state, open: [...state.open, ...open.values()] }),
    async over() {
      await Promise.all(waiting);
    },
  };
}
