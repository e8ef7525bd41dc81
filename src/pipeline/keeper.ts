/**
 * Keeps one model's runner: provisions when first wanted, restarts after crashes within a budget, rests when idle, and
 * starts anew when the model's folder changes.
 */
import { errorInfo, LookoutError } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Config, Model, ModelIdentity, ModelState, Prepared, Progress, Runner } from '../types.ts';
import { neverFound } from './findings.ts';
import { isSame, lookAtFolder, type FolderParts, type Seen } from './model-look.ts';
import { createSetbacks } from './setbacks.ts';

export interface KeeperParts extends FolderParts {
  prepare(model: Model, progress: Progress, signal: AbortSignal): Promise<Prepared>;
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
  /** Whether the model is known to be unable to run: it cannot be set up, or its runner ended too often. */
  readonly unable: boolean;
  /** Begins to set the model up, unless it is up or coming up. */
  warm(): void;
  /** The runner, started if need be. Throws at once what is known to keep the model from running. */
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
const UNKNOWN: ModelIdentity = { version: 'unknown', runtime: 'unknown', detector: null, fingerprint: null, code: null };

export function createKeeper(name: string, parts: KeeperParts): Keeper {
  const { settings, log } = parts;
  const closing = new AbortController();
  const setbacks = createSetbacks(settings);
  let state: ModelState = 'idle';
  let reason = 'not wanted yet';
  let progress: string | null = null;
  let restarts = 0;
  let identity = UNKNOWN;
  let model: Model | null = null;
  let runner: Runner | null = null;
  /** What is said of it while it is ready. */
  let upReason = '';
  let starting: Promise<Kept> | null = null;
  let lookedAt = -Infinity;
  /** Why its folder could not be read at the last look. */
  let unreadable: string | null = null;
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
    setbacks.forget();
    await old?.close();
    if (old) log.info(`${name}: runner stopped`, { reason: why });
  }

  /** What the last look saw. */
  const known = (): Seen | null => model && { model, code: identity.code };

  /** Reads the folder at most every LOOK_MS; a change of code, weights or manifest starts everything anew. */
  async function look(): Promise<Model> {
    if (model && performance.now() - lookedAt < LOOK_MS) return model;
    let seen: Seen;
    try {
      seen = await lookAtFolder(parts, runner && known(), closing.signal);
    } catch (error) {
      const { message } = errorInfo(error);
      if (runner === null || model === null) throw error;
      // Somebody is editing it, perhaps: what runs goes on as it was.
      if (message !== unreadable) log.warn(`${name}: what is in its folder cannot be used yet, its runner goes on as it was`, { reason: message });
      unreadable = message;
      lookedAt = performance.now();
      return model;
    }
    lookedAt = performance.now();
    if (unreadable !== null) setbacks.forget();
    unreadable = null;
    const before = known();
    if (before && !isSame(seen, before)) await forget('the model changed');
    model = seen.model;
    identity = { ...identity, version: model.version, runtime: model.runtime, code: seen.code };
    return model;
  }

  async function start(): Promise<Kept> {
    const own = await look().catch((error: unknown) => {
      lookedAt = -Infinity;
      unreadable = errorInfo(error).message;
      throw unable(error);
    });
    setbacks.check();
    if (runner) {
      restWhenIdle();
      return { runner, model: own };
    }
    await systemClock.sleep(setbacks.pauseMs, closing.signal);
    closing.signal.throwIfAborted();
    const prepared = await setUp(own);
    become('provisioning', 'its runner is starting');
    let started: Runner;
    try {
      started = await prepared.start(closing.signal);
    } catch (error) {
      closing.signal.throwIfAborted();
      crashed(error);
      throw error;
    }
    setbacks.over();
    runner = started;
    identity = { ...identity, detector: started.ready.detector, fingerprint: prepared.fingerprint };
    const warning = neverFound(own, started.ready.labels);
    if (warning !== null) log.warn(`${name}: ${warning}`);
    upReason = warning ?? started.ready.detector ?? 'its runner is ready';
    become('ready', upReason);
    restWhenIdle();
    void started.ended.then((why) => { lost(started, why); });
    return { runner: started, model: own };
  }

  async function setUp(own: Model): Promise<Prepared> {
    become('provisioning', 'its environment is being prepared');
    try {
      const prepared = await parts.prepare(own, (line) => { progress = line; }, closing.signal);
      // Weights may have been fetched for it.
      identity = { ...identity, code: await parts.codeHash(own) };
      return prepared;
    } catch (error) {
      closing.signal.throwIfAborted();
      throw unable(error);
    } finally {
      progress = null;
    }
  }

  function unable(error: unknown): LookoutError {
    const failure = setbacks.setupFailed(error);
    become('failed', failure.message);
    return failure;
  }

  function lost(old: Runner, why: string): void {
    if (runner !== old) return;
    runner = null;
    if (!closing.signal.aborted) crashed(new LookoutError('runner_died', why));
  }

  function crashed(error: unknown): void {
    restarts += 1;
    log.warn(`${name}: runner ended`, { reason: errorInfo(error).message });
    become('failed', (setbacks.ended(error) ?? errorInfo(error)).message);
  }

  function restWhenIdle(): void {
    if (idle) clearTimeout(idle);
    idle = setTimeout(() => {
      if (runner === null || state === 'busy') return;
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
      return setbacks.unable && starting === null;
    },
    warm() {
      // The failure is kept and answers the batches that ask.
      if (runner === null && starting === null) up().catch(() => undefined);
    },
    runner: up,
    busy: (what) => { become('busy', what); },
    free(own) {
      if (runner === own) become('ready', upReason);
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
