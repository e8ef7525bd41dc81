/**
 * Calls that share a runner's process. When it ends, nobody can tell whose frames ended it, so all of them are asked again,
 * one call at a time. Passive.
 */
import type { Runner } from '../types.ts';
import type { Item } from './asks.ts';

export interface Company {
  began(runner: Runner): void;
  over(runner: Runner, items: readonly Item[]): void;
  /** Whether others were in call as the process of this one ended. */
  had(runner: Runner): boolean;
  /** They are asked again. Answers whether they are the first of that process. */
  suspect(runner: Runner, items: readonly Item[], now: number): boolean;
  /** Whether calls are made one at a time, until those who are suspected were asked. */
  isKept(now: number): boolean;
}

/** Those whom nobody waits for any more are not asked. */
const LONGEST_MS = 60_000;

export function createCompany(): Company {
  const calls = new Map<Runner, number>();
  /** Processes that ended in several calls: the last of these that hears of it is alone by then. */
  const shared = new WeakMap<Runner, { isSuspected: boolean }>();
  const suspects = new Set<Item>();
  let until = 0;

  return {
    began(runner) {
      calls.set(runner, (calls.get(runner) ?? 0) + 1);
    },
    over(runner, items) {
      const left = (calls.get(runner) ?? 1) - 1;
      if (left > 0) calls.set(runner, left);
      else calls.delete(runner);
      for (const item of items) suspects.delete(item);
    },
    had(runner) {
      if ((calls.get(runner) ?? 0) > 1 && !shared.has(runner)) shared.set(runner, { isSuspected: false });
      return shared.has(runner);
    },
    suspect(runner, items, now) {
      for (const item of items) suspects.add(item);
      until = now + LONGEST_MS;
      const isFirst = shared.get(runner)?.isSuspected === false;
      shared.set(runner, { isSuspected: true });
      return isFirst;
    },
    isKept: (now) => suspects.size > 0 && now < until,
  };
}
