/** Waiting for a runner no longer than a signal allows. */
import { LookoutError } from '../errors.ts';

/** The promise's outcome, or the signal's reason as soon as it aborts; the promise's later outcome is then nobody's. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => { reject(abortReason(signal)); };
    const settled = (): void => { signal.removeEventListener('abort', onAbort); };
    void promise.then(resolve, reject).finally(settled);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
}

/** Why a signal aborted, as an error with a code: the reason itself where the caller gave one. */
export function abortReason(signal: AbortSignal): LookoutError {
  const reason: unknown = signal.reason;
  if (reason instanceof LookoutError) return reason;
  return new LookoutError('runner_died', 'The runner was stopped because its caller gave up', { cause: reason });
}
