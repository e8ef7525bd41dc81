/**
 * Looks at a model's folder while its runner works. When it has been edited, a runner of the newest state is set up and
 * greeted beside the one that works, and only then takes over; where that fails, the one before goes on.
 */
import { errorInfo } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { linked, type Linked } from '../lib/linked.ts';
import type { Log } from '../lib/log.ts';
import type { Config, Model, Prepared, Progress, Runner, SuccessorStatus } from '../types.ts';
import { inWords, type Edit, type Edits, type Seen } from './edits.ts';
import { LOOK_MS, lookAtFolder, withNewFiles, type FolderParts } from './folder.ts';
import { createSetbacks } from './setbacks.ts';

export interface SuccessorParts extends FolderParts {
  prepare(model: Model, progress: Progress, signal: AbortSignal): Promise<Prepared>;
  /** Gets what its runners print, by line. */
  readonly print: Progress;
  readonly settings: Pick<Config, 'runner_restarts' | 'runner_restart_window_seconds'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a runner is made from. */
export interface Made {
  readonly seen: Seen;
  readonly prepared: Prepared;
}

/** A runner that was greeted. */
export interface Greeted extends Made {
  readonly runner: Runner;
}

export interface Successor {
  /** null: the runner is of the folder as it is. */
  readonly status: SuccessorStatus | null;
  /** A runner is being set up. */
  readonly isBusy: boolean;
  /** Begins to look, unless it does so already. Ends by itself when nothing runs any more. */
  watch(): void;
  /** Waits until nothing is being set up. */
  settled(): Promise<void>;
}

/** A file that is still being copied into the folder is another one after this long. */
const SETTLE_MS = 1000;
/** What never comes to rest holds up no others for longer. */
const UNSETTLED_MS = 60_000;
/** The share of its time that looking at a large folder may take. */
const LOOKING = 1 / 20;

interface Attempt {
  seen: Seen;
  beingPrepared: boolean;
  readonly limit: Linked;
}

/** `running`: what the runners that work were made from; null: none does. */
export function createSuccessor(
  name: string, parts: SuccessorParts, edits: Edits, running: () => Made | null, takeOver: (next: Greeted) => void, signal: AbortSignal,
): Successor {
  const { clock, log, settings } = parts;
  const setbacks = createSetbacks(settings, clock);
  let attempt: Attempt | null = null;
  /** Over when nothing is being set up, nor still being ended. */
  let atRest: Promise<void> = Promise.resolve();
  /** What could not be set up. */
  let refused: Seen | null = null;
  let status: SuccessorStatus | null = null;
  let isWatching = false;
  /** The look before saw edits that may not have been over, since when. */
  let unsettled: { readonly seen: Seen; readonly since: number } | null = null;

  function dismiss(): void {
    const before = attempt;
    attempt = null;
    before?.limit.abort();
    refused = null;
    unsettled = null;
    status = null;
  }

  async function watch(): Promise<void> {
    let lookMs = 0;
    for (;;) {
      await clock.sleep(Math.max(unsettled ? SETTLE_MS : LOOK_MS, lookMs / LOOKING), signal);
      if (signal.aborted || (running() === null && !attempt)) break;
      const began = clock.monotonic();
      await look();
      lookMs = clock.monotonic() - began;
    }
    isWatching = false;
    dismiss();
  }

  async function look(): Promise<void> {
    let seen: Seen;
    try {
      seen = await lookAtFolder(parts);
    } catch (error) {
      // Somebody is editing it, perhaps.
      if (!attempt) fail(errorInfo(error).message, running()?.seen.model.version ?? '');
      return;
    }
    const works = running()?.seen ?? null;
    if (works === null) return;
    const since = (before: Seen): readonly Edit[] => edits.between(before, seen, attempt?.beingPrepared ?? false, clock.now());
    if (since(works).length === 0) {
      // It is, again perhaps, what it was.
      dismiss();
      setbacks.forget();
      return;
    }
    const news = since(attempt?.seen ?? refused ?? works);
    if (news.length > 0) {
      const isOver = settledIn(seen, news, since);
      if (isOver.length > 0) {
        setbacks.forget();
        begin(seen, isOver);
      }
    } else {
      unsettled = null;
      if (refused && !attempt && mayTryAgain()) begin(seen, since(works));
    }
  }

  /** Those edits that are over; none: they are waited for. */
  function settledIn(seen: Seen, news: readonly Edit[], since: (before: Seen) => readonly Edit[]): readonly Edit[] {
    const before = unsettled;
    const moving = before ? since(before.seen) : news;
    unsettled = { seen, since: before?.since ?? clock.monotonic() };
    if (moving.length === 0) return news;
    const isShort = clock.monotonic() - unsettled.since < UNSETTLED_MS;
    if (!attempt && !refused) status = isShort ? { version: seen.model.version, state: 'provisioning', reason: `${inWords(moving)}, and may not be all yet`, progress: null } : null;
    return isShort ? [] : news.filter(({ place }) => !moving.some((edit) => edit.place === place));
  }

  function mayTryAgain(): boolean {
    try {
      setbacks.check();
      return true;
    } catch {
      return false;
    }
  }

  function fail(why: string, version: string): void {
    if (status?.state !== 'failed' || status.reason !== why) log.warn(`${name}: its folder as it is now cannot be used, so its runner goes on as it was`, { reason: why });
    status = { version, state: 'failed', reason: why, progress: null };
  }

  function begin(seen: Seen, why: readonly Edit[]): void {
    dismiss();
    edits.obeyed(why, clock.now());
    log.info(`${name}: a runner of its new state is being set up, the one before goes on meanwhile`, { reason: inWords(why) });
    status = { version: seen.model.version, state: 'provisioning', reason: inWords(why), progress: null };
    const own: Attempt = { seen, beingPrepared: true, limit: linked(signal) };
    attempt = own;
    atRest = atRest.then(() => setUp(own, inWords(why)));
  }

  async function setUp(own: Attempt, why: string): Promise<void> {
    const { limit } = own;
    try {
      limit.signal.throwIfAborted();
      await running()?.prepared.markUsed();
      const prepared = await parts.prepare(own.seen.model, (line) => { if (attempt === own && status) status = { ...status, progress: line }; }, limit.signal);
      own.seen = await withNewFiles(own.seen, parts).catch(() => own.seen);
      own.beingPrepared = false;
      edits.begins(clock.now());
      const runner = await prepared.start(parts.print, limit.signal).finally(() => { edits.ends(clock.now()); });
      if (attempt !== own) {
        await runner.close();
        return;
      }
      log.info(`${name}: its new runner takes over`, { reason: why });
      dismiss();
      setbacks.forget();
      takeOver({ runner, seen: own.seen, prepared });
    } catch (error) {
      if (attempt !== own) return;
      attempt = null;
      refused = own.seen;
      if (!signal.aborted) fail(`${why}: ${setbacks.setupFailed(error).message}`, own.seen.model.version);
    } finally {
      limit.release();
    }
  }

  return {
    get status() {
      return status;
    },
    get isBusy() {
      return attempt !== null;
    },
    watch() {
      if (isWatching) return;
      isWatching = true;
      void watch();
    },
    async settled() {
      do await atRest;
      while (attempt);
    },
  };
}
