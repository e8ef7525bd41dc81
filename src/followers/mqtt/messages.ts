/** Items as messages: records as they are, entries of events with what was said of the event before, and what else the log of events holds. */
import type { EventEntry, Item } from '../../types.ts';
import { isEntry } from '../../words/items.ts';
import type { Message } from './connection.ts';
import { propertyText, type Topics } from './topics.ts';

export interface Messages {
  of(item: Item): Message;
}

/** Events whose last entry is remembered, and entries that may come again. */
const MOST = 2000;
const TYPES = { begun: 'new', going_on: 'update', ended: 'end' } as const;

/** What begins to alert later is new to who is brought alerts alone. */
const typeOf = ({ state, alerts_now }: EventEntry, before: EventEntry | null): string => (alerts_now === true && before === null ? 'new' : TYPES[state]);

export function createMessages(topics: Topics): Messages {
  /** By the event's id, its entry that was told last. */
  const last = new Map<string, EventEntry>();
  /** By the event's id and the sequence, the entry before as it was told. */
  const told = new Map<string, EventEntry>();

  /** The entry before, if it was this process that told it: a repeat says the same again. */
  function beforeOf(entry: EventEntry): EventEntry | null {
    const name = `${entry.id}/${entry.sequence}`;
    const known = last.get(entry.id);
    const before = told.get(name) ?? (known !== undefined && known.sequence < entry.sequence ? known : null);
    // One that was set aside may come when later ones have been told.
    if (known === undefined || known.sequence <= entry.sequence) remember(last, entry.id, entry);
    if (before) remember(told, name, before);
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

/** What is remembered last stays longest. */
function remember<Value>(memory: Map<string, Value>, key: string, value: Value): void {
  memory.delete(key);
  memory.set(key, value);
  const [oldest] = memory.keys();
  if (memory.size > MOST && oldest !== undefined) memory.delete(oldest);
}

export function entryOf(item: Item): EventEntry {
  return item.value as unknown as EventEntry;
}
