/** Alerts that are too old to be sent: counted, so that one message tells of all of them. */
import type { Item } from '../../types.ts';
import { tooOldMessage, type Message } from './message.ts';

export interface TooOld {
  /** Whether the item is to be passed over. */
  isTooOld(item: Item, nowMs: number): boolean;
  /** It is. An event is counted once, however many entries it has. */
  passed(item: Item): void;
  /** What the target took the beginning of, it is to learn the end of, however late that is. */
  settled(item: Item, taken: boolean): void;
  /** Of those that the target was not told of; null: there are none. */
  message(): Message | null;
  /** Nothing more is to be told of them. */
  told(): void;
}

/** Events whose ids are known: further ones are counted by their entries, and further ends may be passed over. */
const MOST_EVENTS = 50_000;

/** null: none is too old. */
export function createTooOld(maxAgeSeconds: number | null): TooOld {
  const open = new Set<string>();
  const passed = new Set<string>();
  let uncounted = 0;
  let span: { first: string; last: string; from: string; to: string } | null = null;

  return {
    isTooOld({ log, id, time, value, asked }, nowMs) {
      // Whoever asks for the past is to have it; a record or a review is no alert, and what does not say its age has none.
      if (maxAgeSeconds === null || asked === true || log !== 'events' || value['kind'] === 'review' || time === null) return false;
      return nowMs - Date.parse(time) > maxAgeSeconds * 1000 && !(value['state'] === 'ended' && open.has(eventOf(value, id)));
    },
    passed({ id, time, value }) {
      const event = eventOf(value, id);
      if (time === null || open.has(event)) return;
      if (passed.size < MOST_EVENTS) passed.add(event);
      else uncounted += 1;
      span = { first: span?.first ?? id, last: id, from: span === null || time < span.from ? time : span.from, to: span === null || time > span.to ? time : span.to };
    },
    settled({ log, id, value }, taken) {
      if (log !== 'events' || value['kind'] === 'review') return;
      const event = eventOf(value, id);
      if (value['state'] === 'ended') open.delete(event);
      else if (taken) open.add(event);
      const [oldest] = open;
      if (open.size > MOST_EVENTS && oldest !== undefined) open.delete(oldest);
    },
    message() {
      return span === null ? null : tooOldMessage(`too-old/${span.first}/${span.last}`, passed.size + uncounted, span.from, span.to);
    },
    told() {
      passed.clear();
      uncounted = 0;
      span = null;
    },
  };
}

function eventOf(value: Item['value'], id: string): string {
  return typeof value['id'] === 'string' ? value['id'] : id;
}
