/** One call of a runner about frames of one or several streams, with a deadline. */
import { errorInfo, LookoutError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { linked } from '../lib/linked.ts';
import type { Config, Detection, ErrorInfo, Model, Prediction, Runner, RunnerFrame } from '../types.ts';
import type { Ask } from './asks.ts';
import { keepFindings } from './findings.ts';
import type { Kept } from './keeper.ts';

export interface CallParts {
  /** Lends the pictures of these keys to a runner; null: that one is gone. */
  readonly view: (keys: readonly string[]) => Promise<{ readonly files: readonly (string | null)[]; close(): Promise<void> }>;
  readonly clock: Clock;
}

/** What is said of one frame. */
export type Said = { readonly detections: readonly Detection[]; readonly inference_ms: number } | { readonly error: ErrorInfo };

export type Outcome =
  /** One for each frame. */
  | { readonly said: readonly Said[] }
  /** `ended`: the runner's process with it. `culprits`: places of the frames that it failed for, where the runner names them. */
  | { readonly error: unknown; readonly ended: boolean; readonly culprits: readonly number[] };

/** A process that hangs is gone by then. */
const ENDING_MS = 1000;
const GONE: Said = { error: { code: 'bad_frame', message: 'its picture is gone: somebody removed it from the frames folder' } };

/** What a model has for one call. */
export function deadlineMsOf({ deadline_seconds }: Pick<Model, 'deadline_seconds'>, { model_deadline_seconds }: Pick<Config, 'model_deadline_seconds'>): number {
  return 1000 * (deadline_seconds ?? model_deadline_seconds);
}

/** Throws where the pictures cannot be lent, or the signal's reason. */
export async function callRunner(
  { runner, model }: Kept, asks: readonly Ask[], deadlineMs: number, { view, clock }: CallParts, signal: AbortSignal,
): Promise<Outcome> {
  const late = new LookoutError('runner_timeout', `${model.name} gave no answer for ${asks.length} frames within ${deadlineMs / 1000} s`);
  const shown = await view(asks.map(({ frame }) => frame.key));
  const there = asks.flatMap(({ frame, stream }, place): RunnerFrame[] => {
    const file = shown.files[place];
    if (file === undefined || file === null) return [];
    const { captured_at, sequence, width, height } = frame;
    return [{ index: place, stream: stream.session, file, captured_at, sequence, width, height }];
  });
  const limit = linked(signal);
  const cancel = clock.after(deadlineMs, () => { limit.abort(late); });
  try {
    const said: Said[] = asks.map(() => GONE);
    if (there.length === 0) return { said };
    // Runners count the frames of a call from 0.
    const { predictions, inference_ms } = await runner.predict(there.map((frame, index) => ({ ...frame, index })), model.options, limit.signal);
    const each = inference_ms / there.length;
    for (const [index, prediction] of keepFindings(model, predictions).entries()) said[there[index]?.index ?? 0] = saidIn(prediction, index, each);
    return { said };
  } catch (error) {
    signal.throwIfAborted();
    const ended = !(error instanceof LookoutError && error.code === 'runner_failed');
    if (ended) await gone(runner, clock, signal);
    return { error, ended, culprits: culpritsOf(error).flatMap((index) => there[index]?.index ?? []) };
  } finally {
    cancel();
    limit.release();
    // Neither the answer nor the next call waits for it.
    void shown.close();
  }
}

function saidIn(prediction: Prediction, index: number, inference_ms: number): Said {
  if (!('error' in prediction)) return { detections: prediction.detections, inference_ms };
  const { code, message } = prediction.error;
  // The harnesses name the frame as their author sees it; whoever reads the answer counts otherwise, and knows which it is.
  return { error: { code, message: message.replace(new RegExp(`^frame ${index}[,:] `), '') } };
}

/** As the runner counts. */
function culpritsOf(error: unknown): readonly number[] {
  const named: unknown = error instanceof LookoutError ? error.details.frames : [];
  return Array.isArray(named) ? named.filter((place): place is number => typeof place === 'number') : [];
}

/** Its process is being ended with the call. The next one may need its memory. */
async function gone(runner: Runner, clock: Clock, signal: AbortSignal): Promise<void> {
  const over = linked(signal);
  await Promise.race([runner.ended, clock.sleep(ENDING_MS, over.signal)]);
  over.abort();
}

/** A failure as an answer, with what the runner's process said last. */
export function failureOf(error: unknown): { readonly error: ErrorInfo; readonly last_words?: string } {
  const words = error instanceof LookoutError ? error.details.last_words : null;
  return { error: errorInfo(error), ...(typeof words === 'string' ? { last_words: words } : {}) };
}
