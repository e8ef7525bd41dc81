/** When what stands at the broker is brought up to date: once what came is of now, and not while a week is caught up with. */
import { systemClock } from '../../lib/clock.ts';
import type { Item } from '../../types.ts';
import { isEntry } from '../../words/items.ts';
import { createEpisodes, type Sight } from './episodes.ts';

export interface Presence {
  /** What is known of events, as of when nothing more was to be caught up with. */
  sights(): readonly Sight[];
  /** Items are about to be delivered. */
  begin(): void;
  /** They are: resolves when what they changed stands at the broker. */
  delivered(items: readonly Item[]): Promise<void>;
  /** Nothing is being delivered; `isAway`: it failed, and comes again. */
  end(isAway: boolean): void;
  close(): void;
}

/** What happened so long ago is of the past; what is on the way may have waited for a broker that was started again. */
const FRESH_MS = 30_000;
/** Nothing more to be delivered for so long: everything is caught up with. */
const QUIET_MS = 2000;
/** The same after a failure: what is still wanted comes again within half a minute. */
const AWAY_MS = 60_000;

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
        const now = systemClock.now();
        for (const item of events) episodes.enter(item, now);
        isBehind = now - Date.parse(events.at(-1)?.time ?? '') > FRESH_MS;
        if (!isBehind) await settle();
      }
    },
    end(isAway) {
      if (isBehind) cancel = systemClock.after(isAway ? AWAY_MS : QUIET_MS, () => void settle());
    },
    close() {
      cancel();
      isBehind = false;
    },
  };
}
