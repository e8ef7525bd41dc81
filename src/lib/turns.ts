/** Work that is done one after the other, in the order in which it was asked for. */

import { setMaxListeners } from 'node:events';

/** Runs `work` when all that was asked for before has ended; throws the signal's reason when it aborts before that. */
export type TakeTurn = <Result>(work: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

export function createTurns(): TakeTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work, signal) => {
    const before = last;
    const mine = (async () => {
      await orAborted(before, signal);
      return work();
    })();
    // Those who come later wait for what was before as well: an aborted turn ends early, that work does not.
    last = Promise.allSettled([before, mine]);
    return mine;
  };
}

async function orAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  // However many wait with one signal, each listens only until its turn comes.
  setMaxListeners(0, signal);
  let abort: (() => void) | undefined;
  const aborted = new Promise((_, reject) => {
    abort = () => { reject(signal.reason as Error); };
    signal.addEventListener('abort', abort);
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    if (abort) signal.removeEventListener('abort', abort);
  }
}
