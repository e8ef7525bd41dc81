/**
 * Keeps one model's runners: provisions when first wanted, restarts after crashes within a budget, rests when idle, and
 * starts anew when the model's folder changes.
 */
import { errorInfo, LookoutError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { createTurns } from '../lib/turns.ts';
import type { Config, LaneStatus, Model, ModelIdentity, ModelState, Prepared, Progress, Readiness, Runner } from '../types.ts';
import { neverFound } from './findings.ts';
import { isSame, lookAtFolder, type FolderParts, type Seen } from './folder-look.ts';
import { createSetbacks } from './setbacks.ts';

export interface KeeperParts extends FolderParts {
  prepare(model: Model, progress: Progress, signal: AbortSignal): Promise<Prepared>;
  readonly settings: Pick<Config, 'runner_restarts' | 'runner_restart_window_seconds' | 'runner_idle_seconds'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A runner that is up, and the model as it was when its folder was last looked at. */
export interface Kept {
  readonly runner: Runner;
  readonly model: Model;
}

export interface Keeper {
  readonly identity: ModelIdentity;
  readonly readiness: Readiness;
  /** Begins to set the model up, unless it is up or coming up. */
  warm(): void;
  /** The runner of this number (from 0), started if need be. Throws at once what is known to keep the model from running. */
  runner(number: number): Promise<Kept>;
  /** A call begins. Tell with `free` when it has ended. */
  busy(runner: Runner, what: string): void;
  free(runner: Runner): void;
  /** A runner ended, or is of no more use, in the middle of a call. */
  lost(runner: Runner, why: string): void;
  /** Such an end is the model's fault, not that of what it was asked: it counts towards the budget of restarts. */
  blame(error: unknown): void;
  status(): LaneStatus;
  close(): Promise<void>;
}

/** How often the model's folder is looked at. */
const LOOK_MS = 2000;
const UNKNOWN: ModelIdentity = { version: 'unknown', runtime: 'unknown', detector: null, fingerprint: null, code: null };

export function createKeeper(name: string, parts: KeeperParts): Keeper {
  const { settings, clock, log } = parts;
  const closing = new AbortController();
  const setbacks = createSetbacks(settings, clock);
  let state: ModelState = 'idle';
  let reason = 'not wanted yet';
  let progress: string | null = null;
  let restarts = 0;
  let identity = UNKNOWN;
  let model: Model | null = null;
  /** Those that are up, by number. */
  const runners = new Map<number, Runner>();
  /** Calls under way. */
  const calls = new Map<Runner, number>();
  /** Those that ended before their call was over, and why. */
  const ended = new Map<Runner, string>();
  /** Runners of an older state of the model's folder that end with their call. */
  const retired = new Set<Runner>();
  /** What is said of it while it is ready. */
  let upReason = '';
  const starting = new Map<number, Promise<Kept>>();
  const takeTurn = createTurns();
  let lookedAt = -Infinity;
  /** Why its folder could not be read at the last look. */
  let unreadable: string | null = null;
  let cancelRest: () => void = () => undefined;

  function become(next: ModelState, why: string): void {
    // One line for each call is for debugging only.
    const ordinary = next === 'busy' || state === 'busy';
    if (next !== state) log[ordinary && next !== 'failed' ? 'debug' : 'info'](`${name}: ${next}`, { reason: why });
    state = next;
    reason = why;
  }

  /** Lets go of everything that came from an older state of the model's folder; calls under way end first. */
  async function forget(why: string): Promise<void> {
    const old = [...runners.values()];
    runners.clear();
    setbacks.forget();
    await Promise.all(old.map(async (runner) => {
      if (calls.has(runner)) retired.add(runner);
      else await runner.close();
    }));
    if (old.length > 0) log.info(`${name}: runner stopped`, { reason: why });
  }

  /** What the last look saw. */
  const known = (): Seen | null => model && { model, code: identity.code };

  /** Reads the folder at most every LOOK_MS; a change of code, weights or manifest starts everything anew. */
  async function look(): Promise<Model> {
    if (model && clock.monotonic() - lookedAt < LOOK_MS) return model;
    let seen: Seen;
    try {
      seen = await lookAtFolder(parts, runners.size > 0 ? known() : null, clock, closing.signal);
    } catch (error) {
      const { message } = errorInfo(error);
      if (runners.size === 0 || model === null) throw error;
      // Somebody is editing it, perhaps: what runs goes on as it was.
      if (message !== unreadable) log.warn(`${name}: what is in its folder cannot be used yet, its runner goes on as it was`, { reason: message });
      unreadable = message;
      lookedAt = clock.monotonic();
      return model;
    }
    lookedAt = clock.monotonic();
    if (unreadable !== null) setbacks.forget();
    unreadable = null;
    const before = known();
    if (before && !isSame(seen, before)) await forget('the model changed');
    model = seen.model;
    identity = { ...identity, version: model.version, runtime: model.runtime, code: seen.code };
    return model;
  }

  async function start(number: number): Promise<Kept> {
    closing.signal.throwIfAborted();
    const own = await look().catch((error: unknown) => {
      lookedAt = -Infinity;
      unreadable = errorInfo(error).message;
      throw unable(error);
    });
    const up = runners.get(number);
    if (up) {
      restWhenIdle();
      return { runner: up, model: own };
    }
    setbacks.check();
    await clock.sleep(setbacks.pauseMs, closing.signal);
    closing.signal.throwIfAborted();
    const prepared = await setUp(own);
    become('provisioning', 'its runner is starting');
    let started: Runner;
    try {
      started = await prepared.start(closing.signal);
    } catch (error) {
      closing.signal.throwIfAborted();
      throw crashed('start', error);
    }
    setbacks.over();
    runners.set(number, started);
    identity = { ...identity, detector: started.ready.detector, fingerprint: prepared.fingerprint };
    const warning = neverFound(own, started.ready.labels);
    if (warning !== null) log.warn(`${name}: ${warning}`);
    upReason = warning ?? started.ready.detector ?? 'its runner is ready';
    become(calls.size > 0 ? 'busy' : 'ready', upReason);
    restWhenIdle();
    void started.ended.then((why) => {
      // What ends in the middle of a call is told by the call.
      if (calls.has(started)) ended.set(started, why);
      else endedByItself(started, why);
    });
    return { runner: started, model: own };
  }

  async function setUp(own: Model): Promise<Prepared> {
    if (calls.size === 0) become('provisioning', 'its environment is being prepared');
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

  /** False: it was no longer one of those that are up. */
  function remove(old: Runner): boolean {
    for (const [number, runner] of runners) if (runner === old) return runners.delete(number);
    return false;
  }

  /** Returns why nothing is tried for a while, or the error itself. */
  function crashed(at: 'start' | 'work', error: unknown): unknown {
    restarts += 1;
    log.warn(`${name}: runner ended`, { reason: errorInfo(error).message });
    const why = setbacks.ended(at, error) ?? error;
    become('failed', errorInfo(why).message);
    return why;
  }

  function endedByItself(runner: Runner, why: string): void {
    if (remove(runner) && !closing.signal.aborted) crashed('work', new LookoutError('runner_died', why));
  }

  function restWhenIdle(): void {
    cancelRest();
    cancelRest = clock.after(settings.runner_idle_seconds * 1000, () => {
      if (runners.size === 0 || calls.size > 0) return;
      become('idle', 'nothing to look at for a while');
      void forget('idle');
    });
  }

  /** Starts go one after the other: what the first sets up, the others find. What is up does not wait for them. */
  function up(number: number): Promise<Kept> {
    const running = runners.get(number);
    if (running && model && starting.size > 0 && !starting.has(number)) return Promise.resolve({ runner: running, model });
    const own = starting.get(number) ?? takeTurn(() => start(number)).finally(() => { starting.delete(number); });
    starting.set(number, own);
    return own;
  }

  return {
    get identity() {
      return identity;
    },
    get readiness() {
      if (runners.size > 0) return 'ready';
      if (starting.size > 0 && setbacks.state !== 'resting') return 'not_ready';
      return setbacks.state ?? 'not_ready';
    },
    warm() {
      // The failure is kept and answers what asks.
      if (runners.size === 0 && starting.size === 0) up(0).catch(() => undefined);
    },
    runner: up,
    busy(runner, what) {
      calls.set(runner, (calls.get(runner) ?? 0) + 1);
      become('busy', what);
    },
    free(runner) {
      const left = (calls.get(runner) ?? 0) - 1;
      if (left > 0) {
        calls.set(runner, left);
        return;
      }
      calls.delete(runner);
      if (retired.delete(runner)) void runner.close();
      const why = ended.get(runner);
      ended.delete(runner);
      if (why !== undefined) endedByItself(runner, why);
      if (calls.size === 0 && runners.size > 0) become('ready', upReason);
      restWhenIdle();
    },
    lost(runner, why) {
      retired.delete(runner);
      if (!remove(runner) || closing.signal.aborted) return;
      restarts += 1;
      log.warn(`${name}: runner ended`, { reason: why });
      if (runners.size === 0) become('failed', why);
    },
    blame(error) {
      const failure = setbacks.ended('work', error);
      if (failure) become('failed', failure.message);
    },
    status: () => ({ state, reason, progress, detector: identity.detector, restarts }),
    async close() {
      closing.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      cancelRest();
      await Promise.all([...starting.values()].map((one) => one.catch(() => undefined)));
      await Promise.all([...runners.values(), ...retired].map((runner) => runner.close()));
    },
  };
}
