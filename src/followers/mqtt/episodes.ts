/** What is known now of each camera's classes: how many events are running, which was the last. */
import type { EventEntry, Item } from '../../types.ts';
import { entryOf } from './messages.ts';

/** A camera and a class that it has seen. */
export interface Sight {
  readonly camera: string;
  readonly class: string;
  readonly running: number;
  readonly last: EventEntry;
  /** Where the last event begins or ends: the entry whose picture is shown. */
  readonly shown: Item;
}

/** By the clock's time, in milliseconds. */
export interface Episodes {
  enter(item: Item, nowMs: number): void;
  now(nowMs: number): readonly Sight[];
}

interface Known {
  readonly camera: string;
  readonly class: string;
  /** When each of those that run was last heard of, in milliseconds. */
  readonly running: Map<string, number>;
  last: EventEntry;
  shown: Item;
}

/** Cameras times classes; of more, those that were seen last stay. */
const MOST = 1000;
/** An event of which nothing was heard for so long is not running any more: its end was lost. */
const SILENCE_MS = 3_600_000;
/** What is further ahead is of a clock that was wrong. */
const AHEAD_MS = 60_000;

export function createEpisodes(): Episodes {
  const known = new Map<string, Known>();

  function knownOf(item: Item, entry: EventEntry): Known {
    const key = JSON.stringify([entry.camera_id, entry.class]);
    const one = known.get(key) ?? { camera: entry.camera_id, class: entry.class, running: new Map<string, number>(), last: entry, shown: item };
    // Those that were seen last stand last.
    known.delete(key);
    known.set(key, one);
    const [oldest] = known.keys();
    if (known.size > MOST && oldest !== undefined) known.delete(oldest);
    return one;
  }

  return {
    enter(item, nowMs) {
      const entry = entryOf(item);
      const one = knownOf(item, entry);
      if (entry.state === 'ended') one.running.delete(entry.id);
      else one.running.set(entry.id, Date.parse(entry.at));
      if (isBefore(entry, one.last, nowMs)) return;
      if (entry.id !== entryOf(one.shown).id || entry.state === 'ended') one.shown = item;
      one.last = entry;
    },
    now: (nowMs) => [...known.values()].map(({ camera, class: name, running, last, shown }) => ({
      camera, class: name, last, shown, running: [...running.values()].filter((at) => Math.abs(nowMs - at) < SILENCE_MS).length,
    })),
  };
}

/** What comes again after a failure, or because somebody wants it, is no news. */
function isBefore(entry: EventEntry, last: EventEntry, nowMs: number): boolean {
  if (entry.id === last.id) return entry.sequence < last.sequence;
  const lastAt = Date.parse(last.at);
  return lastAt <= nowMs + AHEAD_MS && Date.parse(entry.at) < lastAt;
}
