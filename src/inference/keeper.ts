/**
 * Keeps one model's runners: provisions when first wanted, restarts after crashes within a budget, rests when idle, and
 * lets those of an edited folder take over once they are up.
 */
import { errorInfo, LookoutError } from '../errors.ts';
import { createTurns } from '../lib/turns.ts';
import { codeHash } from '../models/fingerprint.ts';
import type { Config, LaneStatus, Model, ModelIdentity, ModelState, Prepared, Readiness, Runner, RunnerMemory } from '../types.ts';
import { createEdits, inWords, type Seen } from './edits.ts';
import { neverFound } from './findings.ts';
import { LOOK_MS, lookAtFolder, withNewFiles } from './folder.ts';
import { createSetbacks } from './setbacks.ts';
import { createSuccessor, type Greeted, type SuccessorParts } from './successor.ts';

export interface KeeperParts extends SuccessorParts {
  readonly settings: SuccessorParts['settings'] & Pick<Config, 'runner_idle_seconds'>;
}

/** A runner that is up, the model as it was when it was started, and what stands in records. */
export interface Kept {
  readonly runner: Runner;
  readonly model: Model;
  readonly identity: ModelIdentity;
}

export interface Keeper {
  readonly identity: ModelIdentity;
  readonly readiness: Readiness;
  /** What runs, or is being set up; null: nobody has read it yet. */
  readonly model: Model | null;
  /** Begins to set the model up, unless it is up or coming up. */
  warm(): void;
  /** The runner of this number (from 0), started if need be. Throws at once what is known to keep the model from running. */
  runner(number: number): Promise<Kept>;
  isUp(number: number): boolean;
  /** A call begins. Tell with `free` when it has ended. */
  busy(runner: Runner, what: string): void;
  free(runner: Runner): void;
  /** A runner ended, or is of no more use, in the middle of a call. */
  lost(runner: Runner, why: string): void;
  /** Such an end is the model's fault, not that of what it was asked: it counts towards the budget of restarts. */
  blame(error: unknown): void;
  status(): LaneStatus;
  /** Of those that are up, by number. */
  memory(): Promise<readonly RunnerMemory[]>;
  close(): Promise<void>;
}

const UNKNOWN: ModelIdentity = { version: 'unknown', runtime: 'unknown', detector: null, fingerprint: null, code: null };

export function createKeeper(name: string, parts: KeeperParts): Keeper {
  const { settings, clock, log } = parts;
  const closing = new AbortController();
  const setbacks = createSetbacks(settings, clock);
  const edits = createEdits((file) => {
    log.info(`${name}: it writes into its own folder; what it writes there does not start it anew`, { file });
  });
  let state: ModelState = 'idle';
  let reason = 'not wanted yet';
  let progress: string | null = null;
  let restarts = 0;
  let identity = UNKNOWN;
  /** What its runners were made from, or are to be. */
  let seen: Seen | null = null;
  /** What they are started by. */
  let running: Prepared | null = null;
  /** Those that are up, by number. */
  const runners = new Map<number, Runner>();
  /** Calls under way. */
  const calls = new Map<Runner, number>();
  /** Those that ended before their call was over, and why. */
  const ended = new Map<Runner, string>();
  /** Runners that others took over from; they end with their call. */
  const retired = new Set<Runner>();
  /** What is said of it while it is ready. */
  let upReason = '';
  const starting = new Map<number, Promise<Kept>>();
  const takeTurn = createTurns();
  let lookedAt = -Infinity;
  /** Its folder could not be read at the last look. */
  let isUnreadable = false;
  let cancelRest: () => void = () => undefined;
  const successor = createSuccessor(name, parts, edits, () => (runners.size > 0 && seen && running ? { seen, prepared: running } : null), takeOver, closing.signal);

  /** Where those that are up compute: not where it was meant that they should, perhaps. */
  function device(): string | null {
    return [...new Set([...runners.values()].flatMap(({ ready }) => ready.device ?? []))].join(', ') || null;
  }

  function become(next: ModelState, why: string): void {
    // One line for each call is for debugging only.
    const ordinary = next === 'busy' || state === 'busy';
    if (next !== state) log[ordinary && next !== 'failed' ? 'debug' : 'info'](`${name}: ${next}`, { reason: why, ...(next === 'ready' ? { device: device() ?? undefined } : {}) });
    state = next;
    reason = why;
  }

  /** Those that others work for are not said to have failed. */
  function failUnlessUp(why: string): void {
    if (runners.size === 0) become('failed', why);
  }

  /** Lets go of the runners that are up; calls under way end first. */
  function retire(): void {
    const old = [...runners.values()];
    runners.clear();
    for (const runner of old) {
      retired.add(runner);
      if (!calls.has(runner)) void endRetired(runner);
    }
  }

  async function endRetired(runner: Runner): Promise<void> {
    await runner.close();
    retired.delete(runner);
  }

  /** Reads the folder while nothing runs, at most every LOOK_MS. */
  async function look(): Promise<Seen> {
    if (seen && clock.monotonic() - lookedAt < LOOK_MS) return seen;
    const now = await lookAtFolder(parts);
    lookedAt = clock.monotonic();
    const changes = seen ? edits.between(seen, now, false, clock.now()) : [];
    if (changes.length > 0) log.info(`${name}: its folder was edited while it did not run`, { reason: inWords(changes) });
    if (changes.length > 0 || isUnreadable) setbacks.forget();
    isUnreadable = false;
    know(now);
    return now;
  }

  function know(now: Seen): void {
    seen = now;
    identity = { ...identity, version: now.model.version, runtime: now.model.runtime, code: codeHash(now.model, edits.withoutOwn(now)) };
  }

  async function start(number: number): Promise<Kept> {
    closing.signal.throwIfAborted();
    if (runners.size === 0) await successor.settled();
    const up = kept(number);
    if (up) return up;
    // Its folder is another one by now: what would be started there is not what runs.
    if (runners.size > 0 && successor.status) throw new LookoutError('not_ready', 'it waits for what its folder has become');
    const own = runners.size > 0 && seen ? seen : await look().catch((error: unknown) => {
      lookedAt = -Infinity;
      isUnreadable = true;
      throw unable(error);
    });
    setbacks.check();
    await clock.sleep(setbacks.pauseMs, closing.signal);
    closing.signal.throwIfAborted();
    const { prepared, made } = await setUp(own);
    if (runners.size === 0) become('provisioning', 'its runner is starting');
    edits.begins(clock.now());
    let runner: Runner;
    try {
      runner = await prepared.start(parts.print, closing.signal);
    } catch (error) {
      closing.signal.throwIfAborted();
      throw crashed('start', error);
    } finally {
      edits.ends(clock.now());
    }
    if (runners.size > 0 && seen !== own) {
      // Those of an edited folder have taken over meanwhile.
      await runner.close();
      return start(number);
    }
    setbacks.over();
    return add(number, { runner, seen: runners.size > 0 ? own : made, prepared });
  }

  async function setUp(own: Seen): Promise<{ readonly prepared: Prepared; readonly made: Seen }> {
    if (runners.size === 0) become('provisioning', 'its environment is being prepared');
    try {
      const prepared = await parts.prepare(own.model, (line) => { progress = line; }, closing.signal);
      return { prepared, made: await withNewFiles(own, parts).catch(() => own) };
    } catch (error) {
      closing.signal.throwIfAborted();
      throw unable(error);
    } finally {
      progress = null;
    }
  }

  function add(number: number, { runner, seen: made, prepared }: Greeted): Kept {
    runners.set(number, runner);
    running = prepared;
    know(made);
    identity = { ...identity, detector: runner.ready.detector, fingerprint: prepared.fingerprint };
    const warning = neverFound(made.model, runner.ready.labels);
    if (warning !== null) log.warn(`${name}: ${warning}`);
    upReason = warning ?? runner.ready.detector ?? 'its runner is ready';
    become(calls.size > 0 ? 'busy' : 'ready', upReason);
    restWhenIdle();
    successor.watch();
    void runner.ended.then((why) => {
      // What ends in the middle of a call is told by the call.
      if (calls.has(runner)) ended.set(runner, why);
      else endedByItself(runner, why);
    });
    return { runner, model: made.model, identity };
  }

  function takeOver(next: Greeted): void {
    retire();
    setbacks.forget();
    lookedAt = clock.monotonic();
    add(0, next);
  }

  function kept(number: number): Kept | null {
    const runner = runners.get(number);
    return runner && seen ? { runner, model: seen.model, identity } : null;
  }

  function unable(error: unknown): LookoutError {
    const failure = setbacks.setupFailed(error);
    failUnlessUp(failure.message);
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
    failUnlessUp(errorInfo(why).message);
    return why;
  }

  function endedByItself(runner: Runner, why: string): void {
    if (remove(runner) && !closing.signal.aborted) crashed('work', new LookoutError('runner_died', why));
  }

  function restWhenIdle(): void {
    cancelRest();
    if (closing.signal.aborted) return;
    cancelRest = clock.after(settings.runner_idle_seconds * 1000, () => {
      if (runners.size === 0 || calls.size > 0) return;
      // What is being set up takes over first.
      if (successor.isBusy) {
        restWhenIdle();
        return;
      }
      become('idle', 'nothing to look at for a while');
      retire();
    });
  }

  /** Starts go one after the other: what the first sets up, the others find. What is up does not wait for them. */
  function up(number: number): Promise<Kept> {
    const running = kept(number);
    if (running) return Promise.resolve(running);
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
    get model() {
      return seen?.model ?? null;
    },
    warm() {
      // The failure is kept and answers what asks.
      if (runners.size === 0 && starting.size === 0) up(0).catch(() => undefined);
    },
    runner: up,
    isUp: (number) => runners.has(number),
    busy(runner, what) {
      calls.set(runner, (calls.get(runner) ?? 0) + 1);
      edits.begins(clock.now());
      become('busy', what);
    },
    free(runner) {
      edits.ends(clock.now());
      const left = (calls.get(runner) ?? 0) - 1;
      if (left > 0) {
        calls.set(runner, left);
        return;
      }
      calls.delete(runner);
      if (retired.has(runner)) void endRetired(runner);
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
      failUnlessUp(why);
    },
    blame(error) {
      const failure = setbacks.ended('work', error);
      if (failure) failUnlessUp(failure.message);
    },
    status: () => ({ state, reason, progress, detector: identity.detector, device: device(), restarts, successor: successor.status }),
    memory: () => Promise.all([...runners].map(async ([number, runner]) => ({ number, memory_bytes: await runner.memory() }))),
    async close() {
      closing.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      cancelRest();
      await Promise.all([...[...starting.values()].map((one) => one.catch(() => undefined)), successor.settled()]);
      await Promise.all([...runners.values(), ...retired].map((runner) => runner.close()));
    },
  };
}
