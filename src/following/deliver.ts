/** Brings items to a target for as long as it takes; finds the one that it will never take. */
import { errorInfo, LookoutError } from '../errors.ts';
import { backoffMs, type Clock } from '../lib/clock.ts';
import { asOfDisk } from '../lib/transient.ts';
import type { Follower, Item, Refused } from '../types.ts';

export interface Delivery {
  /** Resolves when the target has the items, but those answered. Throws the signal's reason, and as `further` does. */
  bring(items: readonly Item[], further: Further, signal: AbortSignal): Promise<readonly Refused[]>;
  /** Of the last failure since something was taken; null: the target is there. */
  readonly trouble: Trouble | null;
  /** What is to be brought is something else from now on: nothing is known of the target. */
  begin(): void;
}

/** What comes behind, a stretch of it with each call; null: no more by now. */
export type Further = () => Promise<readonly Item[] | null>;

export interface Trouble {
  readonly code: string;
  readonly message: string;
  /** In milliseconds since 1970. */
  readonly since: number;
  readonly failures: number;
}

const [SHORTEST_MS, LONGEST_MS] = [1000, 30_000];
/** A target that asks for more is asked again after so long. */
const LONGEST_ASKED_MS = 3_600_000;
/** After so many failures of several items they are brought in halves. */
const TOGETHER = 3;
/** An item that failed so often is passed over if others are taken meanwhile, and after so many of these set aside. */
const [ALONE, OTHERS] = [5, 3];
/** Those that come next may fail as it does, as entries of one event may: so many of them are tried in turn. */
const MOST_OTHERS = 20;
/** Behind may be hundreds of thousands that are not wanted: so many stretches are looked through for others at a try. */
const MOST_STRETCHES = 10;

/** The item of that number, from 0, of those behind that are sent at all: what is not is delivered though the target is away. null: none, as far as it was looked. */
type Others = (number: number) => Promise<Item | null>;

export interface DeliveryParts {
  readonly follower: Follower;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Told of the first failure in a row, and of the first success after it. */
  readonly told: (trouble: Trouble | null) => void;
  /** Told of each failure, when nothing is on its way. */
  readonly failed: () => void;
}

export function createDelivery({ follower, clock, told, failed }: DeliveryParts): Delivery {
  let trouble: Trouble | null = null;
  /** After the last failure. */
  let pauseMs = SHORTEST_MS;

  function fail(error: unknown): void {
    const before = trouble;
    trouble = { ...errorInfo(asOfDisk(error)), since: before?.since ?? clock.now(), failures: (before?.failures ?? 0) + 1 };
    const asked = error instanceof LookoutError ? Number(error.details['retry_after_seconds']) * 1000 : NaN;
    pauseMs = asked > 0 ? Math.min(asked, LONGEST_ASKED_MS) : backoffMs(trouble.failures - 1, SHORTEST_MS, LONGEST_MS);
    if (!before) told(trouble);
  }

  function succeed(): void {
    if (trouble) told(null);
    trouble = null;
    pauseMs = SHORTEST_MS;
  }

  /** null: the target is away. */
  async function attempt(items: readonly Item[], signal: AbortSignal): Promise<readonly Refused[] | null> {
    try {
      // What is passed over without asking the target says nothing of it.
      const isAsked = trouble === null || (await sentOf(items, 1)).length > 0;
      const refused = await follower.deliver(items, signal);
      if (isAsked) succeed();
      return refused;
    } catch (error) {
      signal.throwIfAborted();
      fail(error);
      failed();
      return null;
    }
  }

  async function rest(signal: AbortSignal): Promise<void> {
    await clock.sleep(pauseMs, signal);
    signal.throwIfAborted();
  }

  /** Halved until each is taken or by itself: a call or two more when the target comes back, and the way to the one that it never takes. */
  async function part(items: readonly Item[], others: Others, tries: number, signal: AbortSignal): Promise<readonly Refused[]> {
    const [first] = items;
    if (!first) return [];
    if (items.length === 1) return alone(first, others, signal);
    for (let attempts = 0; attempts < tries; attempts += 1) {
      const answer = await attempt(items, signal);
      if (answer) return answer;
      await rest(signal);
    }
    const middle = items.length >> 1;
    const [before, behind] = [items.slice(0, middle), items.slice(middle)];
    return [...await part(before, joined(behind, others), 1, signal), ...await part(behind, others, 1, signal)];
  }

  async function alone(item: Item, others: Others, signal: AbortSignal): Promise<readonly Refused[]> {
    let [taken, missed] = [0, 0];
    for (let tries = 1; ; tries += 1) {
      // The last of all has nobody to be compared with, until more come.
      const other = tries < ALONE ? null : await others(missed % MOST_OTHERS);
      const answer = await attempt([item], signal);
      if (answer) return answer;
      const reason = trouble?.message ?? '';
      // At once: if the target came back in between, it would have them out of order.
      if (!other) missed = 0;
      else if (await attempt([other], signal)) taken += 1;
      else missed += 1;
      if (taken >= OTHERS) return [{ item, reason: `${tries} tries failed while others were taken: ${reason}` }];
      await rest(signal);
    }
  }

  async function sentOf(items: readonly Item[], most: number): Promise<readonly Item[]> {
    const sent: Item[] = [];
    for (const item of items) {
      if (sent.length === most) break;
      if (await follower.isSent?.(item) ?? true) sent.push(item);
    }
    return sent;
  }

  /** What was looked through is not looked through again. */
  function othersIn(further: Further): Others {
    let found: readonly Item[] = [];
    return async (number) => {
      // Some may have become too old.
      found = await sentOf(found, MOST_OTHERS);
      for (let looked = 0; found.length <= number && looked < MOST_STRETCHES; looked += 1) {
        const more = await further();
        if (!more) break;
        found = [...found, ...await sentOf(more, MOST_OTHERS - found.length)];
      }
      return found[number] ?? null;
    };
  }

  function joined(first: readonly Item[], others: Others): Others {
    return async (number) => {
      const sent = await sentOf(first, number + 1);
      return sent[number] ?? others(number - sent.length);
    };
  }

  return {
    get trouble() {
      return trouble;
    },
    begin() {
      trouble = null;
      pauseMs = SHORTEST_MS;
    },
    bring: (items, further, signal) => part(items, othersIn(further), TOGETHER, signal),
  };
}
