/** Which models failed on a batch, and why. Pure. */
import type { Answers, Look } from '../types.ts';
import type { DeadLetter } from '../store/dead-letters.ts';

type Failed = Extract<Look, { error: unknown }>;

const failedIn = (look: Look): look is Failed => 'error' in look && look.error.code !== 'bad_frame';

/**
 * A model failed when it answered for no frame, and for one at least because of itself: a picture that cannot be read is
 * an answer, and what was skipped is no failure.
 */
export function failuresIn(answers: Answers): DeadLetter['errors'] {
  return Object.fromEntries(Object.entries(answers).flatMap(([model, looks]) => {
    const failure = looks.find(failedIn);
    const isAnswer = (look: Look): boolean => !('skipped' in look) && !failedIn(look);
    if (!failure || looks.some(isAnswer)) return [];
    return [[model, failure.last_words === undefined ? failure.error : { ...failure.error, last_words: failure.last_words }]];
  }));
}

/** Whether any model was shown any frame. */
export function anyLooked(answers: Answers): boolean {
  return Object.values(answers).some((looks) => looks.some((look) => !('skipped' in look)));
}
