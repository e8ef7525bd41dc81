/** How far a follower has come in its logs: in memory, and in its cursor, which is written now and then. */
import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Item, LogPlace, LogReader } from '../types.ts';
import type { Cursor, CursorFile } from './cursor.ts';

type Kind = Item['log'];

export interface Progress {
  /** Items since it was configured first: taken by its target, and those that it never will, as they went from the logs before, or cannot be read there. */
  readonly delivered: number;
  readonly lost: number;
  /** Its cursor says that it went to another target before. */
  readonly isElsewhere: boolean;
  /** null: it does not follow that log. */
  place(kind: Kind): LogPlace | null;
  /** null: it is in another file of that log, or does not follow it. */
  placeIn(kind: Kind, volume: string): LogPlace | null;
  goTo(kind: Kind, place: LogPlace): void;
  /** So many items can be brought no more. */
  lose(items: number): void;
  /** So many items were taken. */
  took(items: number): void;
  /** Goes on from there in all logs, once that is written, and says of what is older than now that somebody asked for it. */
  rewind(to: string): Promise<void>;
  /** What a rewind goes over says so. */
  marked(item: Item): Item;
  /** Writes what changed; `now`: also where that was done a moment ago. */
  write(when: 'now' | 'in time'): Promise<void>;
}

export const BEGINNING: LogPlace = { volume: '', items: 0, last: '', time: null };
/** The cursor is written so often at the most: what came since comes again after a crash. */
const WRITE_MS = 1000;

/** `from`: where one begins that has no cursor yet. */
export async function openProgress(target: string, logs: ReadonlyMap<Kind, LogReader>, from: string, cursor: CursorFile, clock: Clock): Promise<Progress> {
  const targetHash = createHash('sha256').update(target).digest('hex').slice(0, 16);
  const known = await cursor.read();
  let [delivered, lost, asked] = [known?.delivered ?? 0, known?.lost ?? 0, known?.asked];
  const places = new Map<Kind, LogPlace>();
  for (const [kind, reader] of logs) places.set(kind, known?.places[kind] ?? await reader.resolve(from));
  let [writtenAt, isDirty] = [-Infinity, true];

  function goTo(kind: Kind, place: LogPlace): void {
    places.set(kind, place);
    isDirty = true;
  }

  async function keep(kept: Pick<Cursor, 'places' | 'asked'>): Promise<void> {
    // What changes meanwhile is written the next time.
    isDirty = false;
    try {
      await cursor.write({ target: targetHash, delivered, lost, ...kept });
    } catch (error) {
      isDirty = true;
      throw error;
    }
    writtenAt = clock.monotonic();
  }

  return {
    get delivered() {
      return delivered;
    },
    get lost() {
      return lost;
    },
    isElsewhere: known !== null && known.target !== targetHash,
    place: (kind) => places.get(kind) ?? null,
    placeIn(kind, volume) {
      const place = places.get(kind);
      return place && [volume, ''].includes(place.volume) ? place : null;
    },
    goTo,
    lose(items) {
      lost += items;
      isDirty = true;
    },
    took(items) {
      delivered += items;
      isDirty = true;
    },
    async rewind(to) {
      const there = new Map<Kind, LogPlace>();
      for (const [kind, reader] of logs) there.set(kind, await reader.resolve(to));
      const now = new Date(clock.now()).toISOString();
      await keep({ places: { ...known?.places, ...Object.fromEntries(there) }, asked: now });
      for (const [kind, place] of there) places.set(kind, place);
      asked = now;
    },
    marked: (item) => (asked !== undefined && item.time !== null && Date.parse(item.time) <= Date.parse(asked) ? { ...item, asked: true } : item),
    async write(when) {
      if (!isDirty || (when === 'in time' && clock.monotonic() - writtenAt <= WRITE_MS)) return;
      // Also of a log that is not followed for a while.
      await keep({ places: { ...known?.places, ...Object.fromEntries(places) }, asked });
    },
  };
}
