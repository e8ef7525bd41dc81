/** When what stands at the broker is brought up to date: once what came is of now, and not while a week is caught up with. */
import { systemClock } from '../../lib/clock.ts';
import type { Item } from '../../types.ts';
import { isEntry } from '../common/kinds.ts';
import { createEpisodes, type Sight } from './episodes.ts';

export interface Presence {
  /** What is known of events, as of when nothing more was to be caught up with. */
  sights(): readonly Sight[];
  /** Items are about to be delivered. */
  begin(): void;
  /** They are: resolves when what they changed stands at the broker. */
  delivered(items: readonly Item[]): Promise<void>;
  close(): void;
}

/** What happened so long ago is of the past; what is on the way may have waited for a broker that was started again. */
const FRESH_MS = 30_000;
/** Nothing more to be delivered for so long: everything is caught up with. */
const QUIET_MS = 2000;

export function createPresence(update: () => Promise<void>): Presence {
  const episodes = createEpisodes();
  let settled: readonly Sight[] = [];
  let isBehind = false;
  let cancel = (): void => undefined;

  function sights(): readonly Sight[] {
    if (!isBehind) settled = episodes.now(systemClock.now());
    return settled;
  }

  async function settle(): Promise<void> {
    isBehind = false;
    await update();
  }

  return {
    sights,
    begin() {
      cancel();
    },
    async delivered(items) {
      const events = items.filter(isEntry);
      if (events.length > 0) {
        // As of before them.
        sights();
        for (const item of events) episodes.enter(item);
        isBehind = systemClock.now() - Date.parse(events.at(-1)?.time ?? '') > FRESH_MS;
        if (!isBehind) await settle();
      }
      if (isBehind) cancel = systemClock.after(QUIET_MS, () => void settle());
    },
    close() {
      cancel();
    },
  };
}
