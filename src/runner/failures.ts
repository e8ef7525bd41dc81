/** The errors of a runner. */
import { LookoutError } from '../errors.ts';
import { quoteLastWords } from './last-words.ts';
import type { FrameFailure } from './messages.ts';

/**
 * The process is gone or of no more use. `reason` follows "the runner": `exited with code 3`, `gave up: no GPU`. `when`:
 * `during the call`. `cause`: what the system said of one that never started.
 */
export function runnerDied(model: string, reason: string, lastWords: string | null, when = '', cause?: unknown): LookoutError {
  const [verb = '', ...told] = reason.split(': ');
  const what = [when === '' ? verb : `${verb} ${when}`, ...told].join(': ');
  return new LookoutError('runner_died', `Model ${model}: the runner ${what}${/[.!?]$/.test(what) ? '' : '.'}${quoteLastWords(lastWords, what)}`, { cause });
}

export function notReadyInTime(model: string, deadlineMs: number, lastWords: string | null): LookoutError {
  return new LookoutError('runner_timeout', `Model ${model}: the runner was not ready within ${deadlineMs / 1000} s; where its set-up takes longer, raise setup_deadline_seconds in its manifest.${quoteLastWords(lastWords)}`);
}

/** One call failed and the process lives on; what it printed meanwhile stands in the details. */
export function callFailed(model: string, why: string, lastWords: string, frames: readonly FrameFailure[] = [], cause?: unknown): LookoutError {
  const which = frames.map(({ index, message }) => `\n  frame ${index}: ${message}`).join('');
  return new LookoutError('runner_failed', `Model ${model}: the call failed: ${why}${which}`, { cause, details: { last_words: lastWords, frames: frames.map(({ index }) => index) } });
}
