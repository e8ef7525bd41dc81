/** Why a signal aborted, as an error with a code: the reason itself where the caller gave one. */
import { LookoutError } from '../errors.ts';

export function abortReason(signal: AbortSignal): LookoutError {
  const reason: unknown = signal.reason;
  if (reason instanceof LookoutError) return reason;
  return new LookoutError('runner_died', 'The runner was stopped because its caller gave up', { cause: reason });
}
