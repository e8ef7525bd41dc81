/** The newest events as their last entries and reviews tell them, in memory: what is asked for most. */
import type { EventEntry, EventItem, EventQuery, ReviewedEvent, Verdict } from '../types.ts';
import { itemId } from './state.ts';

export interface Recent {
  add(item: EventItem): void;
  get(id: string): ReviewedEvent | null;
  /** Newest first. */
  list(query: EventQuery): readonly ReviewedEvent[];
  /** Items after the one of that id, oldest first; null: it is not among the newest. */
  since(id: string): readonly EventItem[] | null;
}

/** Those before are in the log alone. */
const MOST = 10_000;
/** So many more may be there: those that come late are put in their places together. */
const MOST_MORE = 500;
/** For those who have lost their connection. */
const MOST_ITEMS = 2000;

/** `isKept`: what shows the event is, whatever the log's newest items know of it. */
export function createRecent(isKept: (event: string) => boolean): Recent {
  /** Their ids rise with time: in order of their beginning, while `areInOrder`. */
  let events = new Map<string, EventEntry>();
  let newestId = '';
  let areInOrder = true;
  /** By event. */
  const verdicts = new Map<string, Verdict | null>();
  let items: EventItem[] = [];

  const withReview = (entry: EventEntry): ReviewedEvent => ({ ...entry, verdict: verdicts.get(entry.id) ?? null, keep: isKept(entry.id) });

  const isWanted = (entry: EventEntry, { camera_id, rule, class: name, alert, state, since, verdict }: EventQuery): boolean => (
    (camera_id === undefined || entry.camera_id === camera_id) && (rule === undefined || entry.rule === rule) && (name === undefined || entry.class === name)
    && (alert === undefined || entry.alert === alert) && (state === undefined || (entry.state === 'ended') === (state === 'ended'))
    && (since === undefined || Date.parse(entry.last_seen_at) >= Date.parse(since)) && (verdict === undefined || (verdicts.get(entry.id) ?? 'none') === verdict)
  );

  /** One that went on for long may have been let go meanwhile. */
  function put(entry: EventEntry): void {
    if (!events.has(entry.id) && entry.id < newestId) areInOrder = false;
    events.set(entry.id, entry);
    if (entry.id > newestId) newestId = entry.id;
    if (events.size > MOST + MOST_MORE) events = new Map([...inOrder()].slice(-MOST));
  }

  function inOrder(): ReadonlyMap<string, EventEntry> {
    if (!areInOrder) events = new Map([...events].sort(([a], [b]) => (a < b ? -1 : 1)));
    areInOrder = true;
    return events;
  }

  return {
    add(item) {
      items.push(item);
      if (items.length > 2 * MOST_ITEMS) items = items.slice(-MOST_ITEMS);
      if (item.kind === 'event') put(item);
      if (item.kind === 'review') set(verdicts, item.event, item.verdict);
    },
    since(id) {
      const at = items.findLastIndex((item) => itemId(item) === id);
      return at < 0 ? null : items.slice(at + 1);
    },
    get(id) {
      const entry = events.get(id);
      return entry ? withReview(entry) : null;
    },
    list(query) {
      const found: ReviewedEvent[] = [];
      for (const entry of [...inOrder().values()].reverse()) {
        if (found.length >= query.limit) break;
        if ((query.before === undefined || entry.id < query.before) && isWanted(entry, query)) found.push(withReview(entry));
      }
      return found;
    },
  };
}

/** The oldest goes where there are too many. */
function set<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST && oldest !== undefined) map.delete(oldest);
}
