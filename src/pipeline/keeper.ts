/**
 * Keeps one model's runner: provisions when first wanted, restarts after crashes within a budget, rests when idle, and
 * starts anew when the model's folder changes.
 */
import { errorInfo, LookoutError } from '../errors.ts';
import { backoffMs, systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Config, Model, ModelIdentity, ModelState, Prepared, Progress, Runner } from '../types.ts';

export interface KeeperParts {
  /** Reads the model's folder anew. */
  read(): Promise<Model>;
  prepare(model: Model, progress: Progress, signal: AbortSignal): Promise<Prepared>;
  /** Hash of the model's code and weights. */
  codeHash(model: Model): Promise<string>;
  readonly settings: Pick<Config, 'runner_restarts' | 'runner_restart_window_seconds' | 'runner_idle_seconds'>;
  readonly log: Log;
}

/** A runner that is up, and the model as it was when its folder was last looked at. */
export interface Kept {
  readonly runner: Runner;
  readonly model: Model;
}

export interface Keeper {
  readonly identity: ModelIdentity;
  /** Whether its runner is up. */
  readonly ready: boolean;
  /** Whether the model is known to be unable to run. */
  readonly unable: boolean;
  /** Begins to set the model up, unless it is up or coming up. */
  warm(): void;
  /** The runner, started if need be. Throws `model_unavailable` as long as the model cannot be set up. */
  runner(): Promise<Kept>;
  /** A call begins. Tell with `free` when it has ended. */
  busy(what: string): void;
  free(runner: Runner): void;
  /** A runner is of no more use. */
  lost(runner: Runner, why: string): void;
  status(): KeeperStatus;
  close(): Promise<void>;
}

export interface KeeperStatus {
  readonly state: ModelState;
  readonly reason: string;
  readonly progress: string | null;
  readonly detector: string | null;
  readonly restarts: number;
}

/** How often the model's folder is looked at. */
const LOOK_MS = 2000;
/** A model that could not be set up is tried again after this even if its folder stays the same: networks come back. */
const SETUP_AGAIN_MS = 300_000;
const UNKNOWN: ModelIdentity = { version: 'unknown', runtime: 'unknown', detector: null, fingerprint: null, code: null };

export function createKeeper(name: string, parts: KeeperParts): Keeper {
  const { settings, log } = parts;
  const closing = new AbortController();
  let state: ModelState = 'idle';
  let reason = 'not wanted yet';
  let progress: string | null = null;
  let restarts = 0;
  let identity = UNKNOWN;
  let model: Model | null = null;
  let prepared: Prepared | null = null;
  let runner: Runner | null = null;
  let starting: Promise<Kept> | null = null;
  let failure: { readonly error: LookoutError; readonly at: number } | null = null;
  let lookedAt = 0;
  let crashes: number[] = [];
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
    if (model && performance.now() - lookedAt < LOOK_MS) return model;
    const read = await parts.read();
    const code = await parts.codeHash(read);
    lookedAt = performance.now();
    if (!model) failure = null;
    if (model && (code !== identity.code || JSON.stringify(read) !== JSON.stringify(model))) await forget('the model changed');
    model = read;
    identity = { ...identity, version: read.version, runtime: read.runtime, code };
    return read;
  }

  async function start(): Promise<Kept> {
    const own = await look().catch((error: unknown) => {
      model = null;
      throw unable(error);
    });
    if (failure && performance.now() - failure.at < SETUP_AGAIN_MS) throw failure.error;
    if (runner) return { runner, model: own };
    prepared ??= await setUp(own);
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
    return { runner: started, model: own };
  }

  async function setUp(own: Model): Promise<Prepared> {
    become('provisioning', 'its environment is being prepared');
    try {
      const done = await parts.prepare(own, (line) => { progress = line; }, closing.signal);
      failure = null;
      return done;
    } catch (error) {
      closing.signal.throwIfAborted();
      throw unable(error);
    } finally {
      progress = null;
    }
  }

  function unable(error: unknown): LookoutError {
    failure = { error: new LookoutError('model_unavailable', errorInfo(error).message, { cause: error }), at: performance.now() };
    become('failed', failure.error.message);
    return failure.error;
  }

  function lost(old: Runner, why: string): void {
    if (runner !== old) return;
    runner = null;
    if (!closing.signal.aborted) crashed(why);
  }

  function crashed(why: string): void {
    restarts += 1;
    crashes = [...crashes, performance.now()];
    prepared = null;
    become('failed', why);
    log.warn(`${name}: runner ended`, { reason: why });
  }

  /** Jittered back-off after crashes; beyond the budget, the rest of the window. */
  async function restPause(): Promise<void> {
    const windowMs = settings.runner_restart_window_seconds * 1000;
    crashes = crashes.filter((at) => at > performance.now() - windowMs);
    if (crashes.length === 0) return;
    const over = crashes.length >= settings.runner_restarts;
    const pauseMs = over ? windowMs : backoffMs(crashes.length - 1, 500, 10_000);
    if (over) become('failed', `its runner ended ${crashes.length} times in ${settings.runner_restart_window_seconds} s; next try in ${pauseMs / 1000} s: ${reason}`);
    await systemClock.sleep(pauseMs, closing.signal);
    closing.signal.throwIfAborted();
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

  function up(): Promise<Kept> {
    starting ??= start().finally(() => { starting = null; });
    return starting;
  }

  return {
    get identity() {
      return identity;
    },
    get ready() {
      return runner !== null;
    },
    get unable() {
      return failure !== null && starting === null;
    },
    warm() {
      // The failure is kept and answers the batches that ask.
      if (runner === null && starting === null) up().catch(() => undefined);
    },
    runner: up,
    busy: (what) => { become('busy', what); },
    free(own) {
      if (runner === own) become('ready', identity.detector ?? 'its runner is ready');
      restWhenIdle();
    },
    lost,
    status: () => ({ state, reason, progress, detector: identity.detector, restarts }),
    async close() {
      closing.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      if (idle) clearTimeout(idle);
      await starting?.catch(() => undefined);
      await runner?.close();
    },
  };
}
