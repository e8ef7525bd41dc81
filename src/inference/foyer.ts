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
  /** Of those that are here: the keys of their batch, once it is closed. */
  const closed = new Map<string, readonly string[]>();

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
    remove({ frame }) {
      closed.delete(frame.key);
      return byKey.delete(frame.key);
    },
    close(keys) {
      for (const key of keys) if (byKey.has(key)) closed.set(key, keys);
    },
    isClosed: ({ frame }) => closed.has(frame.key),
    hasWork: (look) => (look === 'frame' ? byKey.size > 0 : closed.size > 0),
    leave(look) {
      const groups = look === 'frame' ? [...byKey.keys()].map((key) => [key]) : [...new Set(closed.values())];
      closed.clear();
      return groups.map(take);
    },
  };
}
