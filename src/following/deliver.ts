/** Brings items to a target for as long as it takes; finds the one that it will never take. */
import { errorInfo, LookoutError } from '../errors.ts';
import { backoffMs, type Clock } from '../lib/clock.ts';
import type { Follower, Item, Refused } from '../types.ts';

export interface Delivery {
  /** Resolves when the target has the items, but those answered. Throws the signal's reason, and as `further` does. */
  bring(items: readonly Item[], further: Further, signal: AbortSignal): Promise<readonly Refused[]>;
  /** Of the last failure since something was taken; null: the target is there. */
  readonly trouble: Trouble | null;
}

/** What comes behind, as far as it is there by now. */
export type Further = () => AsyncIterable<Item>;

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

export interface DeliveryParts {
  readonly follower: Follower;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Told of the first failure in a row, and of the first success after it. */
  readonly told: (trouble: Trouble | null) => void;
}

export function createDelivery({ follower, clock, told }: DeliveryParts): Delivery {
  let trouble: Trouble | null = null;
  /** After the last failure. */
  let pauseMs = SHORTEST_MS;

  function fail(error: unknown): void {
    const before = trouble;
    trouble = { ...errorInfo(error), since: before?.since ?? clock.now(), failures: (before?.failures ?? 0) + 1 };
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
      const refused = await follower.deliver(items, signal);
      succeed();
      return refused;
    } catch (error) {
      signal.throwIfAborted();
      fail(error);
      return null;
    }
  }

  async function rest(signal: AbortSignal): Promise<void> {
    await clock.sleep(pauseMs, signal);
    signal.throwIfAborted();
  }

  /** Halved until each is taken or by itself: a call or two more when the target comes back, and the way to the one that it never takes. */
  async function part(items: readonly Item[], further: Further, tries: number, signal: AbortSignal): Promise<readonly Refused[]> {
    const [first] = items;
    if (!first) return [];
    if (items.length === 1) return alone(first, further, signal);
    for (let attempts = 0; attempts < tries; attempts += 1) {
      const answer = await attempt(items, signal);
      if (answer) return answer;
      await rest(signal);
    }
    const middle = items.length >> 1;
    const [before, behind] = [items.slice(0, middle), items.slice(middle)];
    return [...await part(before, () => joined(behind, further), 1, signal), ...await part(behind, further, 1, signal)];
  }

  async function alone(item: Item, further: Further, signal: AbortSignal): Promise<readonly Refused[]> {
    let [taken, missed] = [0, 0];
    for (let tries = 1; ; tries += 1) {
      // The last of all has nobody to be compared with, until more come.
      const other = tries < ALONE ? null : await sentOf(further(), missed % MOST_OTHERS);
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

  /** The item of that number, from 0, of those that are sent at all: what is not is delivered though the target is away. */
  async function sentOf(items: AsyncIterable<Item>, number: number): Promise<Item | null> {
    let left = number;
    for await (const item of items) {
      if (!(await follower.isSent?.(item) ?? true)) continue;
      if (left === 0) return item;
      left -= 1;
    }
    return null;
  }

  return {
    get trouble() {
      return trouble;
    },
    bring: (items, further, signal) => part(items, further, TOGETHER, signal),
  };
}

async function* joined(first: readonly Item[], further: Further): AsyncGenerator<Item, void, void> {
  yield* first;
  yield* further();
}
