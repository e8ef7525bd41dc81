/** The newest events as their last entries tell them, in memory: what is asked for most. */
import type { EventEntry, EventItem, EventQuery } from '../types.ts';
import { itemId } from './state.ts';

export interface Recent {
  add(item: EventItem): void;
  get(id: string): EventEntry | null;
  /** Newest first. */
  list(query: EventQuery): readonly EventEntry[];
  /** Items after the one of that id, oldest first; null: it is not among the newest. */
  since(id: string): readonly EventItem[] | null;
}

/** Those before are in the log alone. */
const MOST = 10_000;
/** For those who have lost their connection. */
const MOST_ITEMS = 2000;

export function createRecent(): Recent {
  /** Their ids rise with time: in order of their beginning. */
  const events = new Map<string, EventEntry>();
  let items: EventItem[] = [];

  const isWanted = (entry: EventEntry, { camera_id, rule, class: name, alert, state, since }: EventQuery): boolean => (
    (camera_id === undefined || entry.camera_id === camera_id) && (rule === undefined || entry.rule === rule) && (name === undefined || entry.class === name)
    && (alert === undefined || entry.alert === alert) && (state === undefined || (entry.state === 'ended') === (state === 'ended'))
    && (since === undefined || Date.parse(entry.last_seen_at) >= Date.parse(since))
  );

  return {
    add(item) {
      items.push(item);
      if (items.length > 2 * MOST_ITEMS) items = items.slice(-MOST_ITEMS);
      if (item.kind === 'event') events.set(item.id, item);
      const [oldest] = events.keys();
      if (events.size > MOST && oldest !== undefined) events.delete(oldest);
    },
    since(id) {
      const at = items.findLastIndex((item) => itemId(item) === id);
      return at < 0 ? null : items.slice(at + 1);
    },
    get: (id) => events.get(id) ?? null,
    list(query) {
      const found: EventEntry[] = [];
      for (const entry of [...events.values()].reverse()) {
        if (found.length >= query.limit) break;
        if ((query.before === undefined || entry.id < query.before) && isWanted(entry, query)) found.push(entry);
      }
      return found;
    },
  };
}
