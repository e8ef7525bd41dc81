/** Where frames wait before they stand at the door: until somebody has read what the model looks at, and for a model that looks by batch until their batch is closed. Passive. */
import type { Ask } from './asks.ts';

export interface Foyer {
  readonly asks: readonly Ask[];
  add(ask: Ask): void;
  /** False: it is not there (any more). */
  remove(ask: Ask): boolean;
  /** The frames of these keys are a whole batch. */
  close(keys: readonly string[]): void;
  isClosed(ask: Ask): boolean;
  /** Whether any of them may go on to the door. */
  hasWork(look: 'frame' | 'batch'): boolean;
  /** Lets them go on to the door, those together that are asked about together. */
  leave(look: 'frame' | 'batch'): readonly (readonly Ask[])[];
}

export function createFoyer(): Foyer {
  const byKey = new Map<string, Ask>();
  let closed: readonly (readonly string[])[] = [];

  function take(keys: readonly string[]): readonly Ask[] {
    return keys.flatMap((key) => {
      const ask = byKey.get(key);
      byKey.delete(key);
      return ask ?? [];
    });
  }

  return {
    get asks() {
      return [...byKey.values()];
    },
    add: (ask) => { byKey.set(ask.frame.key, ask); },
    remove: ({ frame }) => byKey.delete(frame.key),
    close(keys) {
      if (keys.some((key) => byKey.has(key))) closed = [...closed, keys];
    },
    isClosed: ({ frame }) => closed.some((keys) => keys.includes(frame.key)),
    hasWork: (look) => (look === 'frame' ? byKey.size > 0 : closed.some((keys) => keys.some((key) => byKey.has(key)))),
    leave(look) {
      const groups = look === 'frame' ? [...byKey.keys()].map((key) => [key]) : closed;
      closed = [];
      return groups.map(take).filter((asks) => asks.length > 0);
    },
  };
}
