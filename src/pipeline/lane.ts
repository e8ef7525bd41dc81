/** A lane: where batches of many streams meet one model. One call at a time, with a deadline, tried again when it fails. */
import { errorInfo, LookoutError } from '../errors.ts';
import { untilAborted } from '../lib/abort.ts';
import { backoffMs, systemClock } from '../lib/clock.ts';
import { linked } from '../lib/linked.ts';
import type { Config, LaneAnswer, ModelIdentity, RunnerFrame } from '../types.ts';
import { keepFindings } from './findings.ts';
import { createKeeper, type KeeperParts, type KeeperStatus, type Kept } from './keeper.ts';

export interface LaneParts extends KeeperParts {
  readonly settings: KeeperParts['settings'] & Pick<Config, 'model_deadline_seconds' | 'model_retries'>;
}

export interface LaneStatus extends KeeperStatus {
  /** Answered so far. */
  readonly batches: number;
}

export interface Lane {
  /** A call would be answered soon: the runner is ready and nearly free, or the model is known to be unable to run. */
  readonly room: boolean;
  /** The model is known to be unable to run. */
  readonly unable: boolean;
  readonly identity: ModelIdentity;
  /** Whether its runner is up. */
  readonly ready: boolean;
  /** Begins provisioning if nobody has yet. */
  warm(): void;
  /**
   * Tries the frames up to 1 + model_retries times, calling `countAttempt` before each try. Never throws for the
   * model's failures: they are the answer. An abort gives up waiting; a call under way goes on until its own deadline.
   */
  predict(frames: readonly RunnerFrame[], attempts: number, countAttempt: () => Promise<void>, signal: AbortSignal): Promise<LaneAnswer>;
  status(): LaneStatus;
  close(): Promise<void>;
}

/** One under way and one at the door, so that the runner never waits for us. */
const CALLS_AT_ONCE = 2;
/** A process that hangs is gone by then. */
const ENDING_MS = 1000;

export function createLane(name: string, parts: LaneParts): Lane {
  const { settings } = parts;
  const keeper = createKeeper(name, parts);
  const closing = new AbortController();
  let batches = 0;
  let waiting = 0;
  let calls: Promise<unknown> = Promise.resolve();

  async function predictWithRetries(frames: readonly RunnerFrame[], attempts: number, countAttempt: () => Promise<void>, signal: AbortSignal): Promise<LaneAnswer> {
    let last: unknown = null;
    for (let attempt = attempts; attempt <= settings.model_retries; attempt += 1) {
      if (last) await systemClock.sleep(backoffMs(attempt - 1, 500, 5000), signal);
      if (signal.aborted || closing.signal.aborted) break;
      const tried = await tryOnce(frames, countAttempt, signal);
      if ('answer' in tried) return tried.answer;
      last = tried.failure;
      if (last instanceof LookoutError && !last.retry) break;
    }
    closing.signal.throwIfAborted();
    last ??= signal.aborted ? signal.reason : new LookoutError('runner_failed', `${name} had been tried ${attempts} times before`);
    const words = last instanceof LookoutError ? last.details.last_words : null;
    return { error: errorInfo(last), identity: keeper.identity, ...(typeof words === 'string' ? { last_words: words } : {}) };
  }

  /** Throws only where the try could not be counted, which is not the model's failure. */
  async function tryOnce(frames: readonly RunnerFrame[], countAttempt: () => Promise<void>, signal: AbortSignal): Promise<{ answer: LaneAnswer } | { failure: unknown }> {
    const kept = await keeper.runner().catch((failure: unknown) => ({ failure }));
    if ('failure' in kept) return kept;
    if (signal.aborted) return { failure: signal.reason };
    await countAttempt();
    return callRunner(kept, frames).then((answer) => ({ answer }), (failure: unknown) => ({ failure }));
  }

  async function callRunner({ runner, model }: Kept, frames: readonly RunnerFrame[]): Promise<LaneAnswer> {
    const seconds = model.deadline_seconds ?? settings.model_deadline_seconds;
    const limit = linked(closing.signal);
    const late = new LookoutError('runner_timeout', `${name} gave no answer for ${frames.length} frames within ${seconds} s`);
    const timer = setTimeout(() => { limit.abort(late); }, seconds * 1000);
    keeper.busy(`looking at ${frames.length} frames`);
    try {
      const { predictions, inference_ms } = await runner.predict(frames, model.options, limit.signal);
      batches += 1;
      return { predictions: keepFindings(model, predictions), inference_ms, identity: keeper.identity };
    } catch (error) {
      if (limit.signal.reason === late) {
        // Its process is being ended with the call. The next one may need its memory.
        await Promise.race([runner.ended, systemClock.sleep(ENDING_MS, closing.signal)]);
        keeper.lost(runner, errorInfo(error).message);
      }
      throw error;
    } finally {
      clearTimeout(timer);
      limit.release();
      keeper.free(runner);
    }
  }

  return {
    get room() {
      return waiting < CALLS_AT_ONCE && (keeper.ready || keeper.unable);
    },
    get unable() {
      return keeper.unable;
    },
    get identity() {
      return keeper.identity;
    },
    get ready() {
      return keeper.ready;
    },
    warm() {
      keeper.warm();
    },
    predict(frames, attempts, countAttempt, signal) {
      waiting += 1;
      const turn = calls.then(() => predictWithRetries(frames, attempts, countAttempt, signal)).finally(() => { waiting -= 1; });
      calls = turn.catch(() => undefined);
      return untilAborted(turn, signal);
    },
    status: () => ({ ...keeper.status(), batches }),
    async close() {
      closing.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      await keeper.close();
    },
  };
}
