/** One follower at work: what is new in its logs is brought to its target, and its cursor moves behind what was taken. */
import { errorInfo, LookoutError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { linked } from '../lib/linked.ts';
import type { Log } from '../lib/log.ts';
import type { FollowerStatus, Item, LogPlace, LogReader } from '../types.ts';
import type { Aside } from './aside.ts';
import type { CursorFile } from './cursor.ts';
import { createDelivery, type DeliveryParts, type Further } from './deliver.ts';
import { piecesOf, type Piece } from './pieces.ts';
import { BEGINNING, openProgress } from './progress.ts';
import { createRetry } from './retry.ts';

export interface CourierParts extends Pick<DeliveryParts, 'follower'> {
  readonly name: string;
  readonly type: string;
  /** In words, without secrets. */
  readonly target: string;
  readonly logs: ReadonlyMap<Item['log'], LogReader>;
  readonly isWanted: (item: Item) => boolean;
  /** Items that it is brought together. */
  readonly most: number;
  readonly pictures: boolean;
  /** Where one begins that has no cursor yet. */
  readonly from: string;
  readonly cursor: CursorFile;
  readonly aside: Aside;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Courier {
  readonly name: string;
  /** Something new may be there. */
  wake(): void;
  /** A file of the log is about to go: `items` it had. Answers whether any of them is still to be brought. */
  needs(log: Item['log'], volume: string): boolean;
  gone(log: Item['log'], volume: string, items: number): void;
  status(): Promise<FollowerStatus>;
  /** Tries again what was set aside. Resolves with how many were taken; throws where none was why the last one was not. */
  retry(): Promise<number>;
  /** Goes on from there: `now`, `beginning`, or a time. */
  rewind(to: string): Promise<void>;
  test(signal: AbortSignal): Promise<string>;
  /** Resolves when its cursor is written and its follower closed. */
  close(): Promise<void>;
}

const MOST = { items: 500, bytes: 8_000_000 };
/** The other log, and what is tried again, have their turn then, however many items of this one wait. */
const TURN_MS = 1000;
/** Others may write to a log. */
const LOOK_MS = 5000;

export async function startCourier(parts: CourierParts): Promise<Courier> {
  const { name, type, target, logs, follower, aside, clock, log } = parts;
  const life = new AbortController();
  const { signal } = life;
  const portion = { ...MOST, pictures: parts.pictures };
  const progress = await openProgress(target, logs, parts.from, parts.cursor, clock);
  let lastDeliveredAt: string | null = null;
  /** What is being brought, and where it goes on then. */
  let underWay: { readonly kind: Item['log']; readonly place: LogPlace; readonly since: string | null } | null = null;
  /** By log, what cannot be read at its end, which is passed over together with what comes behind it. */
  const atEnd = new Map<Item['log'], number>();
  /** Why it cannot go on though its target is there, e.g. on a full disk. */
  let fault: { readonly message: string; readonly since: number } | null = null;
  let isWoken = false;
  let endPause = (): void => undefined;
  /** Of the round that is being made. */
  let current = linked(signal);
  let ordered: (() => Promise<void>)[] = [];
  const delivery = createDelivery({
    follower, clock,
    told(trouble) {
      if (trouble) log.warn(`${name}: ${target} is away, and what it has not taken waits`, { reason: trouble.message });
      else log.info(`${name}: ${target} is there again`);
    },
    // Else it would wait for its target, and who asked would wait with it.
    failed() { if (retry.isAsked) interrupt(); },
  });
  const retry = createRetry({ aside, follower, clock, took: () => { progress.took(1); } });

  /** Whether there was something. */
  async function round(kind: Item['log'], reader: LogReader): Promise<boolean> {
    const from = progress.place(kind);
    if (!from) return false;
    const { mended, ...stretch } = await reader.read(from, portion);
    // Its file went meanwhile.
    if (progress.place(kind) !== from) return true;
    if (mended) {
      log.warn(`${name}: its place in the log of ${kind} is not there any more; it goes on with the first item after ${from.time ?? 'all that is there'}`);
      progress.goTo(kind, mended);
    }
    atEnd.set(kind, stretch.items.length === 0 ? stretch.unreadable : 0);
    if (stretch.items.length === 0) return false;
    const begun = clock.monotonic();
    for (const piece of piecesOf(stretch, parts.isWanted, parts.most)) {
      if (!(await pass(kind, piece, behind(reader, piece.place)))) break;
      if ((logs.size > 1 || retry.isAsked) && clock.monotonic() - begun > TURN_MS) break;
    }
    return true;
  }

  function behind(reader: LogReader, place: LogPlace): Further {
    let at = place;
    return async () => {
      current.signal.throwIfAborted();
      const { items, place: next } = await reader.read(at, portion);
      at = next;
      return items.length === 0 ? null : items.filter(parts.isWanted).map((item) => progress.marked(item));
    };
  }

  /** Brings the items, and goes on behind them; false: their file went meanwhile, and it goes on elsewhere. */
  async function pass(kind: Item['log'], { items, place, unreadable }: Piece, further: Further): Promise<boolean> {
    const before = progress.place(kind);
    underWay = { kind, place, since: items[0]?.time ?? null };
    try {
      if (items.length > 0) await bring(items.map((item) => progress.marked(item)), further);
    } finally {
      underWay = null;
    }
    if (progress.place(kind) !== before) return false;
    progress.goTo(kind, place);
    lose(kind, unreadable, 'cannot be read, and are passed over');
    await progress.write('in time');
    fault = null;
    return true;
  }

  async function bring(items: readonly Item[], further: Further): Promise<void> {
    current.signal.throwIfAborted();
    const refused = await delivery.bring(items, further, current.signal);
    for (const one of refused) {
      const before = aside.dropped;
      await insist(() => aside.put(one));
      lose(one.item.log, aside.dropped - before, 'that were set aside are gone, for there were more bytes of them than there may be');
      log.repeated('warn', 'an item was refused, and is set aside', name, { id: one.item.id.slice(0, 200), reason: one.reason.slice(0, 500) });
    }
    // Passed over while the target is away: it has not taken them.
    const taken = delivery.trouble === null ? items.length - refused.length : 0;
    progress.took(taken);
    if (taken > 0) lastDeliveredAt = new Date(clock.now()).toISOString();
  }

  /** What the target has taken does not come again because a file of its own cannot be written. */
  async function insist(what: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await what();
        return;
      } catch (error) {
        fail(error);
        await clock.sleep(LOOK_MS, current.signal);
        current.signal.throwIfAborted();
      }
    }
  }

  function lose(kind: Item['log'], items: number, why: string): void {
    if (items === 0) return;
    log.warn(`${name}: items of the log of ${kind} ${why}`, { items });
    progress.lose(items);
  }

  async function obey(): Promise<void> {
    const orders = ordered;
    ordered = [];
    for (const each of orders) await each();
  }

  async function work(): Promise<void> {
    while (!isOver()) {
      current = linked(signal);
      try {
        await obey();
        let worked = await retry.turn(TURN_MS, current.signal);
        for (const [kind, reader] of logs) worked = await round(kind, reader) || worked;
        if (worked) continue;
        await progress.write('now');
        fault = null;
      } catch (error) {
        if (current.signal.aborted) continue;
        fail(error);
      } finally {
        current.release();
      }
      await sleep();
    }
  }

  function fail(error: unknown): void {
    const reason = errorInfo(error).message;
    fault = { message: reason, since: fault?.since ?? clock.now() };
    log.repeated('error', 'a follower cannot go on for now', name, { reason });
  }

  const isOver = (): boolean => signal.aborted;

  function wake(): void {
    isWoken = true;
    endPause();
  }

  /** Not at all where it was woken since it last slept. */
  async function sleep(): Promise<void> {
    const pause = linked(signal);
    endPause = () => { pause.abort(); };
    if (!isWoken) await clock.sleep(LOOK_MS, pause.signal);
    isWoken = false;
    pause.release();
  }

  /** Done between two rounds, of which one that waits for its target is given up: nothing else moves the cursor. */
  function order<Result>(what: () => Promise<Result>): Promise<Result> {
    const done = new Promise<Result>((resolve, reject) => { ordered.push(() => what().then(resolve, reject)); });
    interrupt();
    return done;
  }

  function interrupt(): void {
    current.abort(new LookoutError('shutting_down', 'the follower is given an order'));
    wake();
  }

  const age = (time: string | null): number => (time === null ? 0 : Math.max(0, (clock.now() - Date.parse(time)) / 1000));

  if (progress.isElsewhere) log.warn(`${name}: it delivers to ${target} now, and goes on where it was; to begin anew: lookout followers rewind ${name} --to beginning`);
  // Nobody's start waits for room on the disk: it is written later.
  await progress.write('now').catch(fail);
  follower.begin?.();
  const working = work();
  return {
    name,
    wake,
    needs: (kind, volume) => progress.placeIn(kind, volume) !== null,
    gone(kind, volume, items) {
      const place = progress.placeIn(kind, volume);
      if (!place) return;
      // What is being brought is not lost.
      const read = underWay?.kind === kind && underWay.place.volume === volume ? underWay.place.items : place.items;
      lose(kind, Math.max(0, items - read), 'went before they were delivered: the log has more bytes than it may');
      // Another place than before, also where that was the beginning.
      progress.goTo(kind, { ...BEGINNING });
    },
    async status() {
      const counts = await Promise.all([...logs].map(async ([kind, reader]) => await reader.remaining(progress.place(kind) ?? BEGINNING) - (atEnd.get(kind) ?? 0)));
      const items = counts.reduce((sum, count) => sum + Math.max(0, count), 0);
      const trouble = delivery.trouble ?? fault;
      return {
        name, type, target, logs: [...logs.keys()],
        state: trouble ? 'waiting' : items > 0 ? 'delivering' : 'idle',
        reason: trouble ? trouble.message : '',
        since: trouble ? new Date(trouble.since).toISOString() : null,
        lag_items: items, lag_seconds: age(underWay?.since ?? null),
        delivered: progress.delivered, lost: progress.lost, set_aside: aside.count, last_delivered_at: lastDeliveredAt,
      };
    },
    async retry() {
      if ((await aside.list()).length === 0) return 0;
      const taken = retry.ask();
      interrupt();
      return taken;
    },
    async rewind(to) {
      await order(async () => {
        await progress.rewind(to);
        delivery.begin();
      });
    },
    test: (asked) => follower.test(asked),
    async close() {
      life.abort();
      wake();
      await working;
      // They are told that it ends.
      await obey();
      retry.giveUp(new LookoutError('shutting_down', 'Lookout is stopping'));
      try {
        await progress.write('now');
      } finally {
        await follower.close();
      }
    },
  };
}
