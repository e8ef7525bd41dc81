/** Items as messages: records as they are, entries of events with what was said of the event before, and what else the log of events holds. */
import type { EventEntry, Item } from '../../types.ts';
import type { Message } from './connection.ts';
import { propertyText, type Topics } from './topics.ts';

export interface Messages {
  of(item: Item): Message;
}

/** Events whose last entry is remembered. */
const MOST = 2000;
const TYPES = { begun: 'new', going_on: 'update', ended: 'end' } as const;

/** What begins to alert later is new to who is brought alerts alone. */
const typeOf = ({ state, alerts_now }: EventEntry, before: EventEntry | null): string => (alerts_now === true && before === null ? 'new' : TYPES[state]);

interface Told {
  readonly before: EventEntry | null;
  readonly after: EventEntry;
}

export function createMessages(topics: Topics): Messages {
  /** By the event's id; the one that was told last comes last. */
  const told = new Map<string, Told>();

  /** The entry before, if it was this process that told it: a repeat says the same again. */
  function beforeOf(entry: EventEntry): EventEntry | null {
    const known = told.get(entry.id);
    const before = known === undefined || known.after.sequence > entry.sequence ? null : known.after.sequence === entry.sequence ? known.before : known.after;
    told.delete(entry.id);
    told.set(entry.id, { before, after: entry });
    const [oldest] = told.keys();
    if (told.size > MOST && oldest !== undefined) told.delete(oldest);
    return before;
  }

  return {
    of(item) {
      const common = { contentType: 'application/json', retain: false, id: propertyText(item.id) };
      if (item.log === 'records') return { ...common, topic: topics.records, payload: JSON.stringify(item.value) };
      if (!isEntry(item)) return { ...common, topic: topics.events, payload: JSON.stringify({ type: item.value['kind'], before: null, after: item.value }) };
      const after = entryOf(item);
      const before = beforeOf(after);
      return { ...common, topic: topics.events, payload: JSON.stringify({ type: typeOf(after, before), before, after }) };
    },
  };
}

/** Others are of a day, or of what somebody says of an event. */
export const isEntry = ({ log, value }: Item): boolean => log === 'events' && value['kind'] === 'event';

export function entryOf(item: Item): EventEntry {
  return item.value as unknown as EventEntry;
}
