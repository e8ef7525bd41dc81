/** Brings items to a target for as long as it takes; finds the one that it will never take. */
import { errorInfo, LookoutError } from '../errors.ts';
import { backoffMs, type Clock } from '../lib/clock.ts';
import type { Follower, Item, Refused } from '../types.ts';

export interface Delivery {
  /** Resolves when the target has the items, but those answered. Throws only the signal's reason. */
  bring(items: readonly Item[], signal: AbortSignal): Promise<readonly Refused[]>;
  /** Of the last failure since something was taken; null: the target is there. */
  readonly trouble: Trouble | null;
}

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

export interface DeliveryParts {
  readonly follower: Follower;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Told of the first failure in a row, and of the first success after it. */
  readonly told: (trouble: Trouble | null) => void;
}

export function createDelivery({ follower, clock, told }: DeliveryParts): Delivery {
  let trouble: Trouble | null = null;

  function fail(error: unknown): void {
    const before = trouble;
    trouble = { ...errorInfo(error), since: before?.since ?? clock.now(), failures: (before?.failures ?? 0) + 1 };
    if (!before) told(trouble);
  }

  function succeed(): void {
    if (trouble) told(null);
    trouble = null;
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
      await rest(error, signal);
      return null;
    }
  }

  async function rest(error: unknown, signal: AbortSignal): Promise<void> {
    const asked = error instanceof LookoutError ? Number(error.details['retry_after_seconds']) * 1000 : NaN;
    const ms = asked > 0 ? Math.min(asked, LONGEST_ASKED_MS) : backoffMs(Math.max(0, (trouble?.failures ?? 1) - 1), SHORTEST_MS, LONGEST_MS);
    await clock.sleep(ms, signal);
    signal.throwIfAborted();
  }

  /** Halved until each is taken or by itself: a call or two more when the target comes back, and the way to the one that it never takes. */
  async function part(items: readonly Item[], next: Item | undefined, tries: number, signal: AbortSignal): Promise<readonly Refused[]> {
    const [first] = items;
    if (!first) return [];
    if (items.length === 1) return alone(first, next, signal);
    for (let attempts = 0; attempts < tries; attempts += 1) {
      const answer = await attempt(items, signal);
      if (answer) return answer;
    }
    const middle = items.length >> 1;
    return [...await part(items.slice(0, middle), items[middle], 1, signal), ...await part(items.slice(middle), next, 1, signal)];
  }

  async function alone(item: Item, next: Item | undefined, signal: AbortSignal): Promise<readonly Refused[]> {
    let others = 0;
    for (let failures = 0; ;) {
      const answer = await attempt([item], signal);
      if (answer) return answer;
      const reason = trouble?.message ?? '';
      failures += 1;
      // The last of all has nobody to be compared with, until more come.
      if (failures < ALONE || !next) continue;
      if (await attempt([next], signal)) others += 1;
      if (others >= OTHERS) return [{ item, reason: `${failures} tries failed while others were taken: ${reason}` }];
    }
  }

  return {
    get trouble() {
      return trouble;
    },
    bring: (items, signal) => part(items, undefined, TOGETHER, signal),
  };
}
