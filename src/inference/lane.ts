/**
 * A lane: a model's door and its runners, where frames of many streams meet one model. Frames are looked at as they come;
 * models that look by batch are asked once a batch is closed.
 */
import { errorInfo, LookoutError } from '../errors.ts';
import { backoffMs } from '../lib/clock.ts';
import { isTransient } from '../lib/transient.ts';
import type { Config, Lane, Model, ModelIdentity, Runner, SkipReason } from '../types.ts';
import { itemOf, type Ask, type Item } from './asks.ts';
import { createBlame } from './blame.ts';
import { createCallSize } from './call-size.ts';
import { callRunner, deadlineMsOf, failureOf, type CallParts, type Outcome, type Said } from './call.ts';
import { createCompany } from './company.ts';
import { createEntrance, type EntranceParts } from './entrance.ts';
import { createHomes } from './homes.ts';
import { createKeeper, type KeeperParts, type Kept } from './keeper.ts';
import { createQuarantine } from './quarantine.ts';
import { createTrial } from './trial.ts';

export interface LaneParts extends KeeperParts, CallParts {
  readonly settings: KeeperParts['settings'] & EntranceParts['settings'] & Pick<Config, 'model_retries'>;
}

/** How often it is looked whether a model that rests may be tried again, or another of its runners started. */
const REST_LOOK_MS = 1000;
/** How soon a call is made again that the machine could not make. */
const AGAIN_MS = 2000;

const isOver = ({ asks }: Item): boolean => asks.every((ask) => ask.isOver());
const GIVEN_UP = new LookoutError('internal', 'nobody waits for this look any more');

export function createLane(name: string, parts: LaneParts): Lane {
  const { settings, clock, log } = parts;
  const keeper = createKeeper(name, parts);
  const closing = new AbortController();
  const quarantine = createQuarantine();
  const blame = createBlame();
  const callSize = createCallSize();
  const company = createCompany();
  const entrance = createEntrance({ settings, callSize, quarantine, skip: (asks, skipped) => { answer(asks, { skipped }); } });
  /** Streams in a call. */
  const inCall = new Set<string>();
  const homes = createHomes();
  const loops: Promise<void>[] = [];
  let callsAtOnce = 1;
  /** The code of the model that was asked last. */
  let code: string | null = null;
  let wakers: (() => void)[] = [];

  const isClosing = (): boolean => closing.signal.aborted;
  const running = (): Model | null => (keeper.readiness === 'ready' ? keeper.model : null);

  function changed(): void {
    const waking = wakers;
    wakers = [];
    for (const wake of waking) wake();
  }

  /** The first loops have a runner each. */
  const mayCall = (loop: number): boolean => loop < (company.isKept ? keeper.model?.instances ?? 1 : callsAtOnce);

  const change = (): Promise<void> => new Promise((resolve) => { wakers.push(resolve); });

  function answer(asks: readonly Ask[], what: { readonly skipped: SkipReason } | Said, identity = keeper.identity): void {
    for (const ask of asks) ask.answer({ ...what, identity });
  }

  // ── The loop of a runner ─────────────────────────────────────────────────────────────────────────────────────────

  /** Calls of one runner, one after the other. */
  async function serve(loop: number): Promise<void> {
    while (!isClosing()) {
      const before = change();
      if (!mayCall(loop) || !entrance.hasWork(running())) {
        await before;
        continue;
      }
      const number = loop % (keeper.model?.instances ?? 1);
      const kept = await keeper.runner(number).catch((error: unknown) => ({ error }));
      if ('error' in kept) {
        if (!isClosing()) await withoutRunner(kept.error);
        continue;
      }
      employ(kept);
      if (!mayCall(loop)) continue;
      const { state, instances } = kept.model;
      const items = entrance.take(kept, clock.monotonic(), ({ camera, session }) => (
        state === 'none' || (!inCall.has(session) && ownerOf(camera, instances) === number)));
      if (items.length > 0) await call(kept, items);
      else await before;
    }
  }

  /** Where a camera's own runner is not up the next one that is serves it meanwhile: one, or each would remember a part of it. */
  function ownerOf(camera: string, instances: number): number {
    const home = homes.of(camera, instances);
    const inTurn = Array.from({ length: instances }, (_, step) => (home + step) % instances);
    return inTurn.find((number) => keeper.isUp(number)) ?? home;
  }

  async function withoutRunner(error: unknown): Promise<void> {
    const { readiness } = keeper;
    if (readiness === 'unable') answer(entrance.removeAll(), failureOf(error));
    else await clock.sleep(readiness === 'not_ready' ? 0 : REST_LOOK_MS, closing.signal);
  }

  function employ({ model: { instances }, runner: { ready }, identity }: Kept): void {
    if (identity.code !== code) callSize.forget();
    code = identity.code;
    callsAtOnce = instances * ready.slots;
    while (loops.length < callsAtOnce) loops.push(serve(loops.length));
  }

  // ── A call and what comes of it ──────────────────────────────────────────────────────────────────────────────────

  async function call(kept: Kept, items: readonly Item[]): Promise<void> {
    const asks = items.flatMap((item) => item.asks);
    const deadlineMs = deadlineMsOf(kept.model, settings);
    const began = clock.monotonic();
    const { identity } = kept;
    for (const { session } of items) inCall.add(session);
    company.began(kept.runner);
    keeper.busy(kept.runner, `looking at ${asks.length === 1 ? 'a frame' : `${asks.length} frames`}`);
    try {
      const outcome = await callRunner(kept, asks, deadlineMs, parts, closing.signal);
      if ('said' in outcome) {
        callSize.took(asks.length, clock.monotonic() - began);
        answered(asks, outcome.said, identity);
        for (const { trial } of items) trial?.wentWell();
      } else {
        if (outcome.ended) keeper.lost(kept.runner, failureOf(outcome.error).error.message);
        const hadCompany = outcome.ended && company.had(kept.runner);
        if (isTransient(outcome.error)) askAgain(items, outcome.error);
        else if (hadCompany && errorInfo(outcome.error).code !== 'runner_timeout') askOneByOne(kept.runner, items, outcome.error);
        else failed(kept.model, items, outcome);
      }
    } catch (error) {
      if (isClosing()) for (const ask of asks) ask.giveUp(error);
      // No fault of the model's or of a camera's: the pictures could not be lent, say.
      else if (isTransient(error)) askAgain(items, error);
      else answered(asks, asks.map(() => failureOf(error)), identity);
    } finally {
      for (const { session } of items) inCall.delete(session);
      company.over(kept.runner);
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

  /** The machine lacked something, and nobody is to blame: no try counts. */
  function askAgain(items: readonly Item[], error: unknown): void {
    log.repeated('warn', 'a call is made again in a moment', name, { reason: errorInfo(error).message });
    for (const item of items) {
      quarantine.untried(item.camera);
      putAgain({ ...item, notBefore: clock.monotonic() + AGAIN_MS });
    }
    // A timer may be a moment early.
    void clock.sleep(AGAIN_MS + 2, closing.signal).then(changed);
  }

  /** The process ended with other calls, and whose frames ended it shows when each is made by itself: no try counts. */
  function askOneByOne(runner: Runner, items: readonly Item[], error: unknown): void {
    // Where each goes well alone it was their number: then it comes again, and too often.
    if (company.suspect(runner, items)) keeper.blame(error);
    for (const item of items) {
      quarantine.untried(item.camera);
      putAgain(item);
    }
  }

  /** Batches do not wait for what they gave up. */
  function putAgain(item: Item): void {
    if (isOver(item)) for (const ask of item.asks) ask.giveUp(GIVEN_UP);
    else entrance.addAgain(item);
  }

  /** Several frames are asked again one by one; what fails alone has failed, a whole batch after its retries. */
  function failed({ look }: Model, items: readonly Item[], { error, ended, culprits }: Exclude<Outcome, { said: unknown }>): void {
    const [first] = items;
    if (first && items.length === 1 && (look === 'batch' || first.frames === 1)) {
      failedAlone(first, error, ended, look === 'batch');
      return;
    }
    const all = items.flatMap(({ asks }) => asks);
    const noneIsAtFault = (): void => { if (ended) keeper.blame(error); };
    const trial = culprits.length > 0 ? null : createTrial(all.length, callSize.failed(all.length, clock.monotonic()), noneIsAtFault);
    for (const [place, ask] of all.entries()) {
      const item = itemOf([ask], { tries: 1, trial });
      if (culprits.includes(place)) answer([ask], failureOf(error));
      else if (item) putAgain(item);
    }
  }

  function failedAlone(item: Item, error: unknown, ended: boolean, mayRetry: boolean): void {
    const now = clock.monotonic();
    item.trial?.failed();
    if (ended) {
      quarantine.ended(item.camera, now);
      if (blame.ended(item.camera, now)) keeper.blame(error);
    } else {
      blame.answered();
      quarantine.answered(item.camera);
    }
    // A camera that is not asked about any more for now would be left without the reason.
    const isFinal = !mayRetry || item.tries >= settings.model_retries || isOver(item) || quarantine.verdict(item.camera, now) !== 'free' || (error instanceof LookoutError && !error.retry);
    if (isFinal) {
      answer(item.asks, failureOf(error));
      return;
    }
    const pauseMs = backoffMs(item.tries, 500, 5000);
    entrance.addAgain({ ...item, tries: item.tries + 1, notBefore: now + pauseMs, replaceable: false });
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
    get model() {
      return keeper.model;
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
      const at = clock.monotonic();
      blame.seen(stream.camera_id, at);
      const settle = <Value>(done: (value: Value) => void) => (value: Value): void => {
        signal.removeEventListener('abort', withdraw);
        company.settled(ask);
        done(value);
      };
      const ask: Ask = { frame, stream, at, answer: settle(resolve), giveUp: settle(reject), isOver: () => signal.aborted };
      function withdraw(): void {
        for (const one of entrance.remove(ask)) one.giveUp(signal.reason);
      }
      signal.addEventListener('abort', withdraw);
      entrance.add(ask, running());
      changed();
    }),
    batchClosed(keys) {
      entrance.closeBatch(keys);
      changed();
    },
    hold(session, from) {
      entrance.hold(session, from);
    },
    release(session) {
      if (entrance.release(session)) changed();
    },
    status: () => keeper.status(),
    memory: () => keeper.memory(),
    async close() {
      closing.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      changed();
      await keeper.close();
      await Promise.all(loops);
      for (const ask of entrance.removeAll()) ask.giveUp(closing.signal.reason);
    },
  };
}
