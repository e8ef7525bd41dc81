/**
 * A lane: a model's door and its runners, where frames of many streams meet one model. Frames are looked at as they come;
 * models that look by batch are asked once a batch is closed.
 */
import { LookoutError } from '../errors.ts';
import { backoffMs } from '../lib/clock.ts';
import type { Config, Lane, Model, ModelIdentity, SkipReason } from '../types.ts';
import { itemOf, type Ask, type Item } from './asks.ts';
import { createBlame } from './blame.ts';
import { createCallSize } from './call-size.ts';
import { callRunner, failureOf, type CallParts, type Outcome, type Said } from './call.ts';
import { createDoor } from './door.ts';
import { createFoyer } from './foyer.ts';
import { createKeeper, type KeeperParts, type Kept } from './keeper.ts';
import { createQuarantine } from './quarantine.ts';

export interface LaneParts extends KeeperParts, CallParts {
  readonly settings: KeeperParts['settings'] & Pick<Config, 'model_deadline_seconds' | 'model_retries' | 'queue_total' | 'batch_size'>;
}

/** More streams with a memory than any model can keep. */
const MOST_HOMES = 10_000;

/** How often it is looked whether a model that rests may be tried again, or has changed. */
const REST_LOOK_MS = 1000;

export function createLane(name: string, parts: LaneParts): Lane {
  const { settings, clock } = parts;
  const keeper = createKeeper(name, parts);
  const closing = new AbortController();
  const foyer = createFoyer();
  const door = createDoor<Item>();
  const quarantine = createQuarantine();
  const blame = createBlame();
  const callSize = createCallSize();
  /** As it was when its runner was asked for last; null: nobody has read it yet. */
  let model: Model | null = null;
  /** Streams in a call; and of a model with a memory the runner that each stream belongs to. */
  const inCall = new Set<string>();
  const homes = createHomes();
  const held = new Set<string>();
  const loops: Promise<void>[] = [];
  let callsAtOnce = 1;
  let wakers: (() => void)[] = [];

  const isClosing = (): boolean => closing.signal.aborted;

  function changed(): void {
    const waking = wakers;
    wakers = [];
    for (const wake of waking) wake();
  }

  const change = (): Promise<void> => new Promise((resolve) => { wakers.push(resolve); });

  function answer(asks: readonly Ask[], what: { readonly skipped: SkipReason } | Said, identity = keeper.identity): void {
    for (const ask of asks) ask.answer({ ...what, identity });
  }

  // ── At the door ──────────────────────────────────────────────────────────────────────────────────────────────────

  function enter(item: Item | null): void {
    if (item) door.add(item, item.stream.from === 'recovered' ? 'recovered' : 'live');
  }

  /** Lets go of what there is no room for: only while the model runs, for what waits until then is wanted. */
  function tidy({ look }: Model, cameras: Iterable<string>): void {
    const gone = door.tidy(cameras, clock.monotonic(), look === 'batch'
      ? { perCamera: () => 1, total: settings.queue_total, patienceMs: () => Infinity }
      : {
        perCamera: ({ stream }) => stream.batch_size, total: settings.queue_total * settings.batch_size,
        patienceMs: ({ stream }) => Math.max(2000 * stream.interval_seconds, 2 * callSize.usualMs),
      });
    for (const { asks } of gone) answer(asks, { skipped: 'overloaded' });
  }

  /** Frames of a camera in quarantine do not wait until that is over. */
  function sendAway(now: number): void {
    if (quarantine.empty) return;
    for (const item of door.items) {
      if (quarantine.verdict(item.camera, now) === 'not now' && door.remove(item)) answer(item.asks, { skipped: 'quarantined' });
    }
  }

  /** The items of the next call; none: nobody may go. */
  function take({ model: own, runner }: Kept, number: number): readonly Item[] {
    const now = clock.monotonic();
    // Only from now on do they wait for others.
    for (const asks of foyer.leave(own.look)) enter(itemOf(asks, { at: now }));
    tidy(own, door.cameras);
    sendAway(now);
    const mayGo = ({ session, stream, notBefore }: Item): boolean => notBefore <= now && !(stream.from === 'live' && held.has(session))
      && (own.state === 'none' || (!inCall.has(session) && (homes.of(session) ?? number) === number));
    const isSuspect = ({ camera }: Item): boolean => quarantine.verdict(camera, now) === 'alone';
    const suspect = door.items.find((item) => isSuspect(item) && mayGo(item));
    if (suspect && door.remove(suspect)) {
      quarantine.trying(suspect.camera);
      return [suspect];
    }
    return door.take({
      room: own.look === 'batch' ? 1 : callSize.of(own.max_batch),
      mix: own.look === 'frame' && (own.mix ?? runner.ready.mix ?? false),
      mayGo: (item) => !isSuspect(item) && mayGo(item),
    });
  }

  // ── The loop of a runner ─────────────────────────────────────────────────────────────────────────────────────────

  /** A stream that brings a frame more rarely than an idle runner is kept has it started once for a batch. */
  function isWorthAStart(ask: Ask): boolean {
    return ask.stream.from !== 'live' || ask.stream.interval_seconds < settings.runner_idle_seconds || foyer.isClosed(ask);
  }

  function hasWork(): boolean {
    if (!door.empty) return true;
    return keeper.readiness === 'ready' && model ? foyer.hasWork(model.look) : foyer.asks.some(isWorthAStart);
  }

  /** Calls of one runner, one after the other. */
  async function serve(loop: number): Promise<void> {
    while (!isClosing()) {
      const before = change();
      if (loop >= callsAtOnce || !hasWork()) {
        await before;
        continue;
      }
      const number = loop % (model?.instances ?? 1);
      const kept = await keeper.runner(number).catch((error: unknown) => ({ error }));
      if ('error' in kept) {
        if (!isClosing()) await withoutRunner(kept.error);
        continue;
      }
      model = kept.model;
      employ(kept);
      const items = take(kept, number);
      if (items.length > 0) await call(kept, items, number);
      else await before;
    }
  }

  async function withoutRunner(error: unknown): Promise<void> {
    if (keeper.readiness !== 'unable') {
      await clock.sleep(keeper.readiness === 'resting' ? REST_LOOK_MS : 0, closing.signal);
      return;
    }
    const { asks } = foyer;
    foyer.leave('frame');
    const waiting = door.items;
    for (const item of waiting) door.remove(item);
    answer([...asks, ...waiting.flatMap((item) => item.asks)], failureOf(error));
  }

  function employ({ model: { instances }, runner: { ready } }: Kept): void {
    callsAtOnce = instances * ready.slots;
    while (loops.length < callsAtOnce) loops.push(serve(loops.length));
  }

  // ── A call and what comes of it ──────────────────────────────────────────────────────────────────────────────────

  async function call(kept: Kept, items: readonly Item[], number: number): Promise<void> {
    const asks = items.flatMap((item) => item.asks);
    const deadlineMs = (kept.model.deadline_seconds ?? settings.model_deadline_seconds) * 1000;
    const began = clock.monotonic();
    const { identity } = keeper;
    for (const { session } of items) {
      inCall.add(session);
      if (kept.model.state === 'stream') homes.settle(session, number);
    }
    keeper.busy(kept.runner, `looking at ${asks.length} frames`);
    try {
      const outcome = await callRunner(kept, asks, deadlineMs, parts, closing.signal);
      if ('said' in outcome) {
        callSize.took(asks.length, clock.monotonic() - began);
        answered(asks, outcome.said, identity);
      } else {
        if (outcome.ended) keeper.lost(kept.runner, failureOf(outcome.error).error.message);
        failed(kept.model, items, outcome);
      }
    } catch (error) {
      if (isClosing()) for (const ask of asks) ask.giveUp(error);
      // No fault of the model's or of a camera's: the pictures could not be lent, say.
      else answered(asks, asks.map(() => failureOf(error)), identity);
    } finally {
      for (const { session } of items) inCall.delete(session);
      keeper.free(kept.runner);
      changed();
    }
  }

  function answered(asks: readonly Ask[], said: readonly Said[], identity: ModelIdentity): void {
    blame.answered();
    for (const [place, ask] of asks.entries()) {
      quarantine.answered(ask.stream.camera_id);
      const what = said[place];
      if (what) answer([ask], what, identity);
    }
  }

  /** Several frames are asked again one by one; what fails alone has failed, a whole batch after its retries. */
  function failed({ look }: Model, items: readonly Item[], { error, ended, culprits }: Exclude<Outcome, { said: unknown }>): void {
    const [first] = items;
    if (first && items.length === 1 && (look === 'batch' || first.frames === 1)) {
      failedAlone(first, error, ended, look === 'batch');
      return;
    }
    for (const [place, ask] of items.flatMap(({ asks }) => asks).entries()) {
      const item = itemOf([ask], { tries: 1 });
      if (culprits.includes(place)) answer([ask], failureOf(error));
      else if (item) door.add(item, 'again');
    }
  }

  function failedAlone(item: Item, error: unknown, ended: boolean, mayRetry: boolean): void {
    const now = clock.monotonic();
    if (ended) {
      quarantine.ended(item.camera, now);
      if (blame.ended(item.camera, now)) keeper.blame(error);
    } else {
      blame.answered();
      quarantine.answered(item.camera);
    }
    const isFinal = !mayRetry || item.tries >= settings.model_retries || (error instanceof LookoutError && !error.retry);
    if (isFinal) {
      answer(item.asks, failureOf(error));
      return;
    }
    const pauseMs = backoffMs(item.tries, 500, 5000);
    door.add({ ...item, tries: item.tries + 1, notBefore: now + pauseMs, replaceable: false }, 'again');
    // A timer may be a moment early.
    void clock.sleep(pauseMs + 2, closing.signal).then(changed);
  }

  loops.push(serve(0));

  return {
    get readiness() {
      return keeper.readiness;
    },
    get identity() {
      return keeper.identity;
    },
    get skipReason() {
      const { readiness } = keeper;
      return readiness === 'resting' ? 'resting' : readiness === 'ready' ? 'late' : 'not_ready';
    },
    warm() {
      keeper.warm();
    },
    look: (frame, stream, signal) => new Promise((resolve, reject) => {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const now = clock.monotonic();
      blame.seen(stream.camera_id, now);
      const settle = <Value>(done: (value: Value) => void) => (value: Value): void => {
        signal.removeEventListener('abort', withdraw);
        done(value);
      };
      const ask: Ask = { frame, stream, at: now, answer: settle(resolve), giveUp: settle(reject) };
      function withdraw(): void {
        const item = door.items.find(({ asks }) => asks.includes(ask));
        if (foyer.remove(ask) || (item && door.remove(item))) {
          // Of a batch the others are withdrawn with it.
          for (const one of item?.asks ?? [ask]) one.giveUp(signal.reason);
        }
      }
      signal.addEventListener('abort', withdraw);
      if (model === null || keeper.readiness !== 'ready' || model.look === 'batch') foyer.add(ask);
      else enter(itemOf([ask]));
      if (model && keeper.readiness === 'ready') tidy(model, [stream.camera_id]);
      changed();
    }),
    batchClosed(keys) {
      foyer.close(keys);
      changed();
    },
    hold: (session) => { held.add(session); },
    release(session) {
      if (held.delete(session)) changed();
    },
    status: () => keeper.status(),
    async close() {
      closing.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      changed();
      await keeper.close();
      await Promise.all(loops);
      for (const ask of [...foyer.asks, ...door.items.flatMap((item) => item.asks)]) ask.giveUp(closing.signal.reason);
    },
  };
}

interface Homes {
  of(session: string): number | undefined;
  settle(session: string, runner: number): void;
}

/** The runner that remembers each stream. The stream that was not seen for longest is forgotten first. */
function createHomes(): Homes {
  const homes = new Map<string, number>();
  return {
    of: (session) => homes.get(session),
    settle(session, runner) {
      homes.delete(session);
      homes.set(session, runner);
      const [oldest] = homes.keys();
      if (homes.size > MOST_HOMES && oldest !== undefined) homes.delete(oldest);
    },
  };
}
