/**
 * A lane: one model's runner, warm and shared by all streams, with one call at a time. Provisions when first wanted,
 * restarts after crashes within a budget, rests when idle, and starts anew when the model's folder changes.
 */
import { errorInfo, LookoutError } from '../errors.ts';
import { backoffMs, systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Config, LaneAnswer, Model, ModelIdentity, ModelState, Prepared, Progress, Runner, RunnerFrame } from '../types.ts';
import { keepFindings } from './findings.ts';

export type LaneSettings = Pick<
  Config, 'model_deadline_seconds' | 'model_retries' | 'runner_restarts' | 'runner_restart_window_seconds' | 'runner_idle_seconds'
>;

export interface LaneParts {
  /** Reads the model's folder anew. */
  read(): Promise<Model>;
  prepare(model: Model, progress: Progress, signal: AbortSignal): Promise<Prepared>;
  /** Hash of the model's code and weights. */
  codeHash(model: Model): Promise<string>;
  readonly settings: LaneSettings;
  readonly log: Log;
}

export interface LaneStatus {
  readonly state: ModelState;
  readonly reason: string;
  readonly progress: string | null;
  readonly detector: string | null;
  readonly restarts: number;
  readonly batches: number;
}

export interface Lane {
  /** A call would be answered soon: the runner is ready and nearly free, or the model is known to be unable. */
  readonly room: boolean;
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
/** How often the model's folder is looked at. */
const LOOK_MS = 2000;
/** A process that hangs is gone by then. */
const ENDING_MS = 1000;
const UNKNOWN: ModelIdentity = { version: 'unknown', runtime: 'unknown', detector: null, fingerprint: null, code: null };

export function createLane(name: string, parts: LaneParts): Lane {
  const { settings, log } = parts;
  const closing = new AbortController();
  let state: ModelState = 'idle';
  let reason = 'not wanted yet';
  let progress: string | null = null;
  let restarts = 0;
  let batches = 0;
  let identity = UNKNOWN;
  let model: Model | null = null;
  let prepared: Prepared | null = null;
  let runner: Runner | null = null;
  let starting: Promise<Runner> | null = null;
  let failure: LookoutError | null = null;
  let lookedAt = 0;
  let crashes: number[] = [];
  let waiting = 0;
  let calls: Promise<unknown> = Promise.resolve();
  let idle: NodeJS.Timeout | null = null;

  function become(next: ModelState, why: string): void {
    // One line for each batch is for debugging only.
    const ordinary = next === 'busy' || state === 'busy';
    if (next !== state) log[ordinary && next !== 'failed' ? 'debug' : 'info'](`${name}: ${next}`, { reason: why });
    state = next;
    reason = why;
  }

  /** Lets go of everything that came from an older state of the model's folder. */
  async function forget(why: string): Promise<void> {
    const old = runner;
    runner = null;
    prepared = null;
    failure = null;
    await old?.close();
    if (old) log.info(`${name}: runner stopped`, { reason: why });
  }

  /** Reads the folder at most every LOOK_MS; a change of code, weights or manifest starts everything anew. */
  async function look(): Promise<Model> {
    if (model && Date.now() - lookedAt < LOOK_MS) return model;
    const read = await parts.read();
    const code = await parts.codeHash(read);
    lookedAt = Date.now();
    if (!model) failure = null;
    if (model && (code !== identity.code || JSON.stringify(read) !== JSON.stringify(model))) await forget('the model changed');
    model = read;
    identity = { ...identity, version: read.version, runtime: read.runtime, code };
    return read;
  }

  async function start(): Promise<Runner> {
    const own = await look().catch((error: unknown) => {
      model = null;
      throw unable(error);
    });
    if (failure) throw failure;
    if (runner) return runner;
    try {
      if (!prepared) {
        become('provisioning', 'its environment is being prepared');
        prepared = await parts.prepare(own, (line) => { progress = line; }, closing.signal);
      }
    } catch (error) {
      closing.signal.throwIfAborted();
      throw unable(error);
    } finally {
      progress = null;
    }
    await restPause();
    become('provisioning', 'its runner is starting');
    let started: Runner;
    try {
      started = await prepared.start(closing.signal);
    } catch (error) {
      closing.signal.throwIfAborted();
      crashed(errorInfo(error).message);
      throw error;
    }
    runner = started;
    identity = { ...identity, detector: started.ready.detector, fingerprint: prepared.fingerprint };
    become('ready', started.ready.detector ?? 'its runner is ready');
    restWhenIdle();
    void started.ended.then((why) => { lost(started, why); });
    return started;
  }

  /** A runner is of no more use. */
  function lost(old: Runner, why: string): void {
    if (runner !== old) return;
    runner = null;
    if (!closing.signal.aborted) crashed(why);
  }

  /** Remembered until the model's folder changes. */
  function unable(error: unknown): LookoutError {
    failure = new LookoutError('model_unavailable', errorInfo(error).message, { cause: error });
    become('failed', failure.message);
    return failure;
  }

  function crashed(why: string): void {
    restarts += 1;
    crashes = [...crashes, Date.now()];
    prepared = null;
    become('failed', why);
    log.warn(`${name}: runner ended`, { reason: why });
  }

  /** Jittered back-off after crashes; beyond the budget, the rest of the window. */
  async function restPause(): Promise<void> {
    const windowMs = settings.runner_restart_window_seconds * 1000;
    crashes = crashes.filter((at) => at > Date.now() - windowMs);
    if (crashes.length === 0) return;
    const over = crashes.length >= settings.runner_restarts;
    const pauseMs = over ? windowMs : backoffMs(crashes.length - 1, 500, 10_000);
    if (over) become('failed', `its runner ended ${crashes.length} times in ${settings.runner_restart_window_seconds} s; next try in ${pauseMs / 1000} s: ${reason}`);
    await systemClock.sleep(pauseMs, closing.signal);
    closing.signal.throwIfAborted();
  }

  function started(): Promise<Runner> {
    starting ??= start().finally(() => { starting = null; });
    return starting;
  }

  function restWhenIdle(): void {
    if (idle) clearTimeout(idle);
    idle = setTimeout(() => {
      if (state !== 'ready') return;
      become('idle', 'no batch for a while');
      void forget('idle');
    }, settings.runner_idle_seconds * 1000);
    idle.unref();
  }

  async function call(frames: readonly RunnerFrame[], attempts: number, countAttempt: () => Promise<void>, signal: AbortSignal): Promise<LaneAnswer> {
    let last: unknown = null;
    for (let attempt = attempts; attempt <= settings.model_retries; attempt += 1) {
      if (last) await systemClock.sleep(backoffMs(attempt - 1, 500, 5000), AbortSignal.any([signal, closing.signal]));
      if (signal.aborted || closing.signal.aborted) break;
      try {
        const ready = await started();
        signal.throwIfAborted();
        await countAttempt();
        return await once(ready, frames);
      } catch (error) {
        last = error;
        if (error instanceof LookoutError && !error.retry) break;
      }
    }
    closing.signal.throwIfAborted();
    last ??= signal.aborted ? signal.reason : new LookoutError('runner_failed', `${name} had been tried ${attempts} times before`);
    const words = last instanceof LookoutError ? last.details.last_words : null;
    return { error: errorInfo(last), identity, ...(typeof words === 'string' ? { last_words: words } : {}) };
  }

  async function once(ready: Runner, frames: readonly RunnerFrame[]): Promise<LaneAnswer> {
    // The folder is looked at before a start, not between a start and its call: a change must not cost a try.
    const own = model ?? await look();
    const seconds = own.deadline_seconds ?? settings.model_deadline_seconds;
    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort(new LookoutError('runner_timeout', `${name} gave no answer for ${frames.length} frames within ${seconds} s`));
    }, seconds * 1000);
    become('busy', `looking at ${frames.length} frames`);
    try {
      const { predictions, inference_ms } = await ready.predict(frames, own.options, AbortSignal.any([deadline.signal, closing.signal]));
      batches += 1;
      return { predictions: keepFindings(own, predictions), inference_ms, identity };
    } catch (error) {
      if (deadline.signal.aborted) {
        // Its process is being ended with the call. The next one may need its memory.
        await Promise.race([ready.ended, systemClock.sleep(ENDING_MS, closing.signal)]);
        lost(ready, errorInfo(error).message);
      }
      throw error;
    } finally {
      clearTimeout(timer);
      if (runner === ready) become('ready', identity.detector ?? 'its runner is ready');
      restWhenIdle();
    }
  }

  return {
    get room() {
      return waiting < CALLS_AT_ONCE && (runner !== null || (failure !== null && starting === null));
    },
    get identity() {
      return identity;
    },
    get ready() {
      return runner !== null;
    },
    warm() {
      // The failure is kept and answers the batches that ask.
      if (!runner) started().catch(() => undefined);
    },
    predict(frames, attempts, countAttempt, signal) {
      waiting += 1;
      const turn = calls.then(() => call(frames, attempts, countAttempt, signal)).finally(() => { waiting -= 1; });
      calls = turn.catch(() => undefined);
      return orAbort(turn, signal);
    },
    status: () => ({ state, reason, progress, detector: identity.detector, restarts, batches }),
    async close() {
      closing.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      if (idle) clearTimeout(idle);
      await starting?.catch(() => undefined);
      await runner?.close();
    },
  };
}

/** The promise, or the signal's reason as soon as it aborts. */
function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => { reject(signal.reason as Error); };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => { signal.removeEventListener('abort', abort); });
  });
}
