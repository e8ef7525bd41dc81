/** Which models failed on a batch, and why. Pure. */
import type { ErrorCode } from '../errors.ts';
import { SKIPPED } from '../record/sections.ts';
import type { Answers, Look, SkipReason } from '../types.ts';
import type { DeadLetter } from '../store/dead-letters.ts';

type Failed = Extract<Look, { error: unknown }>;
type Letter = DeadLetter['errors'][string];

const failedIn = (look: Look): look is Failed => 'error' in look && look.error.code !== 'bad_frame';

/**
 * A model failed when it answered for no frame, and for one at least because of itself: a picture that cannot be read is
 * an answer, and what was skipped is no failure.
 */
export function failuresIn(answers: Answers): DeadLetter['errors'] {
  return Object.fromEntries(Object.entries(answers).flatMap(([model, looks]) => {
    const failure = looks.find(failedIn);
    return failure && !looks.some(isAnswer) ? [[model, errorOf(failure)]] : [];
  }));
}

const isAnswer = (look: Look): boolean => !('skipped' in look) && !failedIn(look);

function errorOf({ error, last_words }: Failed): Letter {
  return last_words === undefined ? error : { ...error, last_words };
}

/** Whose frames are worth a replay, once the runner, the model's folder or the network is mended. */
const MENDABLE: ReadonlySet<string> = new Set(['runner_failed', 'runner_died', 'runner_timeout', 'model_unavailable', 'not_ready', 'resting'] satisfies (ErrorCode | SkipReason)[]);

/** Which models looked at no frame for a reason that can be mended: they failed, or did not run. */
export function mendableIn(answers: Answers): DeadLetter['errors'] {
  return Object.fromEntries(Object.entries(answers).flatMap(([model, looks]) => {
    const reasons = looks.flatMap((look): Letter[] => {
      if ('skipped' in look) return [{ code: look.skipped, message: SKIPPED[look.skipped] }];
      return failedIn(look) ? [errorOf(look)] : [];
    });
    const reason = reasons.find(({ code }) => MENDABLE.has(code));
    return reason && !looks.some(isAnswer) ? [[model, reason]] : [];
  }));
}

/** Whether any model was shown any frame. */
export function anyLooked(answers: Answers): boolean {
  return Object.values(answers).some((looks) => looks.some((look) => !('skipped' in look)));
}
