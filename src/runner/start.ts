/** Starts a warm runner that speaks the runner protocol and makes it a Runner. */
import type { Ready, Runner } from '../types.ts';
import { untilAborted } from '../lib/abort.ts';
import { abortReason } from './abort.ts';
import { AT_ONCE, startChild } from './child.ts';
import type { RunnerCommand } from './command.ts';
import { converse } from './conversation.ts';
import { callFailed, notReadyInTime, runnerDied } from './failures.ts';
import { tellLast } from './listen.ts';
import { MAX_MESSAGE } from './messages.ts';

export interface StartOptions {
  readonly model: string;
  /** How long set-up may take. */
  readonly start_deadline_ms: number;
  /** Gets what the runner and its model print, by line; of more at once than are kept, the last. */
  readonly onLog: (line: string) => void;
  /** Somebody reads these lines as they come, so errors do not quote them. */
  readonly watched?: boolean;
}

/** On close: time to finish the call at hand, then time to obey SIGTERM. */
const POLITELY = { patience_ms: 5000, term_ms: 2000 };

/** Resolves once the runner is ready; rejects when it ends first, is not ready in time, or the signal aborts. */
export async function startRunner(command: RunnerCommand, { model, start_deadline_ms, onLog, watched = false }: StartOptions, signal: AbortSignal): Promise<Runner> {
  if (signal.aborted) throw abortReason(signal);
  let greet: (ready: Ready) => void = () => undefined;
  const greeted = new Promise<Ready>((resolve) => { greet = resolve; });

  const conversation = converse({
    ready: greet,
    fatal: (why) => void stop(why, AT_ONCE),
    failure: (why, frames) => callFailed(model, why, child.lastWords(), frames),
  });
  const child = startChild(command, (lines) => { tellLast(lines, onLog); }, { limit: MAX_MESSAGE, onLine: conversation.hear });
  const ended = child.ended.then(({ reason }) => reason);
  const lastWords = (): string | null => (watched ? null : child.lastWords());
  let gone: string | null = null;
  const stop: typeof child.stop = (reason, patience) => {
    gone ??= reason;
    return child.stop(reason, patience);
  };
  void ended.then((reason) => {
    gone ??= reason;
    conversation.end(runnerDied(model, reason, lastWords(), 'during the call'));
  });

  let ready: Ready;
  const deadline = alarm(start_deadline_ms, () => notReadyInTime(model, start_deadline_ms, lastWords()));
  try {
    const exit = child.ended.then(({ reason, cause }) => { throw runnerDied(model, reason, lastWords(), 'before it was ready', cause); });
    ready = await untilAborted(Promise.race([greeted, exit, deadline.rings]), signal, abortReason);
  } catch (error) {
    await stop('was stopped before it was ready', AT_ONCE);
    throw error;
  } finally {
    deadline.cancel();
  }

  return {
    ready,
    ended,
    predict: async (frames, options, signal) => {
      if (signal.aborted) throw abortReason(signal);
      if (gone !== null) throw runnerDied(model, gone, lastWords());
      const call = conversation.ask(frames, options);
      child.stdin.write(call.line);
      try {
        return await untilAborted(call.answer, signal, abortReason);
      } finally {
        // Still open: it was aborted. A hung model cannot be asked to stop, so its process goes.
        if (conversation.drop(call.id)) void stop('was killed because a call was aborted', AT_ONCE);
      }
    },
    memory: () => child.memory(),
    close: () => stop('was closed', POLITELY),
  };
}

/** A promise that rejects after `ms` unless it is cancelled. */
function alarm(ms: number, error: () => Error): { readonly rings: Promise<never>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const rings = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(error()); }, ms);
  });
  return { rings, cancel: () => { clearTimeout(timer); } };
}
