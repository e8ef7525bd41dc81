/** Lines in this process, each with a name: who came first goes first, and the next one when that one leaves. */
import { untilAborted } from './abort.ts';

export interface Place {
  /** Whether it comes first within this time; false as soon as the signal aborts. */
  readonly comesFirst: (withinMs: number, signal: AbortSignal) => Promise<boolean>;
  /** After its turn, or when it gives up waiting for it. */
  readonly leave: () => void;
}

export function createLines(): (name: string) => Place {
  const ends = new Map<string, Promise<void>>();
  return (name) => {
    const before = ends.get(name) ?? Promise.resolve();
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => { leave = resolve; });
    ends.set(name, before.then(() => left));
    return {
      leave,
      comesFirst: (withinMs, signal) => new Promise((resolve) => {
        const timer = setTimeout(resolve, withinMs, false);
        void untilAborted(before, signal).then(() => { resolve(true); }, () => { resolve(false); }).finally(() => { clearTimeout(timer); });
      }),
    };
  };
}
