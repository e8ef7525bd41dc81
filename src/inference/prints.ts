/** What a model printed last, whatever the level of the log. Passive. */
import type { Clock } from '../lib/clock.ts';
import { hideCredentials } from '../lib/secrets.ts';
import { KEPT_LINES } from '../runner/listen.ts';
import type { Print } from '../types.ts';

export interface Prints {
  /** Oldest first. */
  readonly lines: readonly Print[];
  add(text: string): void;
}

export function createPrints(clock: Pick<Clock, 'now'>): Prints {
  const lines: Print[] = [];
  return {
    get lines() {
      return [...lines];
    },
    add(text) {
      lines.push({ at: new Date(clock.now()).toISOString(), text: hideCredentials(text) });
      if (lines.length > KEPT_LINES) lines.shift();
    },
  };
}
