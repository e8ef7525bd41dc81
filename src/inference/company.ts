/**
 * Calls that share a runner's process. When it ends, nobody can tell whose frames ended it, so all of them are asked again,
 * one call at a time. Passive.
 */
import type { Runner } from '../types.ts';
import type { Ask, Item } from './asks.ts';

export interface Company {
  began(runner: Runner): void;
  over(runner: Runner): void;
  /** Whether others were in call as the process of this one ended. */
  had(runner: Runner): boolean;
  /** They are asked again. Answers whether they are the first of that process. */
  suspect(runner: Runner, items: readonly Item[]): boolean;
  /** It was answered, or given up. */
  settled(ask: Ask): void;
  /** Whether calls are made one at a time, as somebody is suspected. */
  readonly isKept: boolean;
}

export function createCompany(): Company {
  const calls = new Map<Runner, number>();
  /** Processes that ended in several calls: the last of these that hears of it is alone by then. */
  const shared = new WeakMap<Runner, { isSuspected: boolean }>();
  const suspects = new Set<Ask>();

  return {
    began(runner) {
      calls.set(runner, (calls.get(runner) ?? 0) + 1);
    },
    over(runner) {
      const left = (calls.get(runner) ?? 1) - 1;
      if (left > 0) calls.set(runner, left);
      else calls.delete(runner);
    },
    had(runner) {
      if ((calls.get(runner) ?? 0) > 1 && !shared.has(runner)) shared.set(runner, { isSuspected: false });
      return shared.has(runner);
    },
    suspect(runner, items) {
      for (const ask of items.flatMap(({ asks }) => asks)) if (!ask.isOver()) suspects.add(ask);
      const isFirst = shared.get(runner)?.isSuspected === false;
      shared.set(runner, { isSuspected: true });
      return isFirst;
    },
    settled(ask) {
      suspects.delete(ask);
    },
    get isKept() {
      return suspects.size > 0;
    },
  };
}
