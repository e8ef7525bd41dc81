/** Waiting no longer than a signal allows. */
import { setMaxListeners } from 'node:events';

/** The promise's outcome, or why the signal aborted as soon as it does; the promise's later outcome is then nobody's. */
export function untilAborted<T>(
  promise: Promise<T>, signal: AbortSignal, reasonOf: (signal: AbortSignal) => Error = ({ reason }) => reason as Error,
): Promise<T> {
  // However many wait with one signal, each listens only until its promise is settled.
  setMaxListeners(0, signal);
  return new Promise((resolve, reject) => {
    const abort = (): void => { reject(reasonOf(signal)); };
    void promise.then(resolve, reject).finally(() => { signal.removeEventListener('abort', abort); });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });
}
