/** Work that is done one after the other, in the order in which it was asked for. */
import { untilAborted } from './abort.ts';

/** Runs `work` when all that was asked for before has ended; throws the signal's reason when it aborts before that. */
export type TakeTurn = <Result>(work: () => Promise<Result>, signal?: AbortSignal) => Promise<Result>;

export function createTurns(): TakeTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work, signal) => {
    const before = last;
    const mine = (async () => {
      signal?.throwIfAborted();
      await (signal ? untilAborted(before, signal) : before);
      return work();
    })();
    // Those who come later wait for what was before as well: an aborted turn ends early, that work does not.
    last = Promise.allSettled([before, mine]).then(() => undefined);
    return mine;
  };
}
