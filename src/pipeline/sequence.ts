/** Ends the batches of a session in the order of their capture, whatever stands in the way of one. */
import type { Batch } from '../types.ts';

/** Does `then` with what the batch waits for, once the earlier ones of its session that are under way have ended. */
export type InSequence = <Value>(batch: Batch, value: Promise<Value>, then: (value: Value) => Promise<void>) => Promise<void>;

interface UnderWay {
  readonly sequence: number;
  readonly ended: Promise<void>;
}

export function createSequence(): InSequence {
  const sessions = new Map<string, Set<UnderWay>>();
  return async ({ session, frames }, value, then) => {
    const sequence = frames[0]?.sequence ?? 0;
    const own = sessions.get(session) ?? new Set();
    sessions.set(session, own);
    // Only ever for earlier ones, so that none waits for itself.
    const earlier = (): readonly Promise<void>[] => [...own].filter((other) => other.sequence < sequence).map(({ ended }) => ended);
    const ended = value.then(async (known) => {
      await Promise.allSettled(earlier());
      await then(known);
    });
    const one: UnderWay = { sequence, ended };
    own.add(one);
    try {
      await ended;
    } finally {
      own.delete(one);
      if (own.size === 0) sessions.delete(session);
    }
  };
}
