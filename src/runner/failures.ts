/** The errors of a runner. */
import { LookoutError } from '../errors.ts';
import { quoteLastWords } from './last-words.ts';
import type { FrameFailure } from './messages.ts';

/** The process is gone or of no more use. `what` follows "the runner": `exited with code 3 during the call`. */
export function runnerDied(model: string, what: string, lastWords: string): LookoutError {
  return new LookoutError('runner_died', `Model ${model}: the runner ${what}.${quoteLastWords(lastWords)}`);
}

export function notReadyInTime(model: string, deadlineMs: number, lastWords: string): LookoutError {
  return new LookoutError('runner_timeout', `Model ${model}: the runner was not ready within ${deadlineMs} ms.${quoteLastWords(lastWords)}`);
}

/** One call failed and the process lives on; what it printed meanwhile stands in the details. */
export function callFailed(model: string, why: string, lastWords: string, frames: readonly FrameFailure[] = []): LookoutError {
  const which = frames.map(({ index, message }) => `\n  frame ${index}: ${message}`).join('');
  return new LookoutError('runner_failed', `Model ${model}: the call failed: ${why}${which}`, { details: { last_words: lastWords, frames: frames.map(({ index }) => index) } });
}
