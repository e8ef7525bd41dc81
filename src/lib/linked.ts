/** A signal that follows others for as long as it is needed. */
import { setMaxListeners } from 'node:events';

export interface Linked {
  /** Aborts with the first of the signals that it follows, for the same reason, or when it is told to. */
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
  /** Follows no more. Whoever made it does this in a `finally`, unless it was aborted. */
  release(): void;
}

/**
 * `AbortSignal.any` for signals that live long: on Node 20 each of its results leaves something behind in every signal
 * that it was made from, for good.
 */
export function linked(...signals: readonly AbortSignal[]): Linked {
  const controller = new AbortController();
  const release = (): void => {
    for (const signal of signals) signal.removeEventListener('abort', follow);
  };
  const abort = (reason?: unknown): void => {
    release();
    controller.abort(reason);
  };
  function follow(): void {
    const first = signals.find(({ aborted }) => aborted);
    if (first) abort(first.reason);
  }
  for (const signal of signals) {
    // However many follow it, each listens only until it is released.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', follow);
  }
  follow();
  return { signal: controller.signal, abort, release };
}
