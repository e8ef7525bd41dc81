/** Waits for the models of one batch: for the first answer as long as it takes, for the others a while longer. */
import { errorInfo, LookoutError } from '../errors.ts';
import { linked } from '../lib/linked.ts';
import type { Answers, LaneAnswer, ModelIdentity } from '../types.ts';

/** One model asked. `ask` is called at once with a signal that ends the waiting. */
export interface Asked {
  readonly model: string;
  readonly identity: ModelIdentity;
  /** Whether its runner was up when it was asked. */
  readonly ready: boolean;
  ask(signal: AbortSignal): Promise<LaneAnswer>;
}

/** An answer for every model; those that came too late read `late` or, never having been ready, `not_ready`. */
export async function joinAnswers(asked: readonly Asked[], joinMs: number, signal: AbortSignal): Promise<Answers> {
  const giveUp = linked(signal);
  let timer: NodeJS.Timeout | null = null;
  const answers = await Promise.all(
    asked.map(async (one): Promise<readonly [string, LaneAnswer]> => {
      const { model, identity, ready } = one;
      try {
        const answer = await one.ask(giveUp.signal);
        if (!('error' in answer)) timer ??= setTimeout(() => { giveUp.abort(); }, joinMs);
        return [model, answer];
      } catch (error) {
        if (!giveUp.signal.aborted || signal.aborted) throw error;
        const late = ready
          ? new LookoutError('late', `${model} had not answered ${joinMs / 1000} s after the first model`)
          : new LookoutError('not_ready', `${model} was not ready ${joinMs / 1000} s after the first model had answered`);
        return [model, { error: errorInfo(late), identity }];
      }
    }),
  ).finally(() => {
    if (timer) clearTimeout(timer);
    // Where one threw, the others are not to go on by themselves.
    giveUp.abort();
    giveUp.release();
  });
  return Object.fromEntries(answers);
}
