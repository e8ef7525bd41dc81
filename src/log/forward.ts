/** Reads items of a log in the order in which they were appended, from a place that survives rotation, gzip and a restart. */
import { openIfPresent } from '../lib/files.ts';
import { isObject } from '../lib/objects.ts';
import type { Item, LogPlace, LogReader, Stretch } from '../types.ts';
import { describe, withoutPicture } from './describe.ts';
import type { Reindex } from './edited.ts';
import type { IndexEntry } from './index-file.ts';
import { endsThere, entriesFrom, firstId, hashOf, idIn, idOf, itemsIn, seek, textOf, type Found, type Passed } from './items.ts';
import { createCounter } from './remaining.ts';
import { isBehind, newestVolumeFirst, rotatedVolumes, type Volume } from './shelf.ts';
import { valueOf } from './value.ts';

/** Times that a place is looked for anew which is somewhere else once it was found. */
const TRIES = 5;
const BEGINNING: LogPlace = { volume: '', items: 0, last: '', time: null };

/** In a volume of which something was read, or before the first item of one. */
interface Seat {
  readonly volume: Volume;
  /** Bytes of the index that were read. */
  readonly at: number;
  /** The line of the index that ends there. Where it does not, the index is of another volume by now, or was rewritten. */
  readonly line: string;
  /** Of a volume of which nothing was read: the one that it was found behind; null: there was none. */
  readonly behind: Volume | null;
  readonly place: LogPlace;
}

/** `kind`: what its items are called. */
export function createLogReader(current: Volume, kind: Item['log'], reindex: Reindex): LogReader {
  /** Of places that were found or given, so that none of them is looked for again. */
  const seats = new WeakMap<LogPlace, Seat>();
  const count = createCounter();

  /** In the newest file in which there is such a seat. */
  async function newest(seatOfIt: (volume: Volume) => Promise<Seat | null>): Promise<Seat | null> {
    for await (const found of newestVolumeFirst(current, seatOfIt)) if (found) return found;
    return null;
  }

  /** Where the place is now; null: what stood there is gone. */
  async function find(place: LogPlace): Promise<Seat | null> {
    if (place.volume === '') return beginning();
    const known = await newest(async (volume) => {
      const seen = await firstId(volume) === place.volume ? await seek(volume, place.items) : null;
      return seen && await idOf(volume, seen.entry) === place.last ? seatIn(volume, place, seen) : null;
    });
    // Items move when a file is written anew. Only records that others wrote have to be read to be known.
    return known ?? newest((volume) => lastSeat(volume, async (entry) => await idOf(volume, entry) === place.last));
  }

  /** Before the first item that is later, wherever it is in its file. */
  async function since(time: string | null): Promise<Seat> {
    const from = time === null ? NaN : Date.parse(time);
    if (Number.isNaN(from)) return end();
    const parts: (readonly [Seat | null, boolean])[] = [];
    for await (const part of newestVolumeFirst(current, (volume) => seatBefore(volume, ({ time: at }) => at !== null && Date.parse(at) > from))) parts.unshift(part);
    let last: Seat | null = null;
    for (const [seatThere, isFound] of parts) {
      last = seatThere ?? last;
      if (isFound) break;
    }
    return last ?? beginning();
  }

  async function end(): Promise<Seat> {
    return await newest((volume) => lastSeat(volume, () => true)) ?? beginning();
  }

  async function beginning(): Promise<Seat> {
    return before(await next(null) ?? current, null);
  }

  /** The volume behind that one, whatever became of it; behind null the oldest. null: there is none. */
  async function next(volume: Volume | null): Promise<Volume | null> {
    if (volume === current) return null;
    const all = [current, ...(await rotatedVolumes(current))];
    return all.findLast((one) => !volume || isBehind(one, volume)) ?? null;
  }

  async function following({ volume }: Seat): Promise<Seat | null> {
    const found = await next(volume);
    return found && before(found, volume);
  }

  /** False: it was rotated, gzipped, deleted or written anew. */
  async function isThere({ volume, at, line, behind: previous }: Seat): Promise<boolean> {
    if (at > 0) return endsThere(volume, at, line);
    return (await next(previous))?.file === volume.file;
  }

  /** `mended`: it was not found, and this is before the first item after its time. */
  async function seatOf(place: LogPlace): Promise<{ readonly seat: Seat; readonly mended: LogPlace | null }> {
    const known = seats.get(place);
    if (known && await isThere(known)) return { seat: known, mended: null };
    const found = await find(place);
    const seat = found ?? await since(place.time);
    const mended = found ? null : seat.place;
    seats.set(mended ?? place, seat);
    return { seat, mended };
  }

  /** null: its file is not there, or was edited. */
  async function take(from: Seat, { items: most, bytes: mostBytes, pictures }: { items: number; bytes: number; pictures: boolean }): Promise<Stretch | null> {
    const items: Item[] = [];
    const places: LogPlace[] = [];
    let [bytes, unreadable] = [0, 0];
    let seat = from;
    const { volume } = from;
    const handle = await openIfPresent(volume.file, 'r');
    if (!handle) return null;
    try {
      for await (const found of entriesFrom(volume, from.at)) {
        const { entry } = found;
        const text = await textOf(handle, volume, entry);
        const item = text === null ? null : itemOf(kind, text, entry, pictures);
        // One that is not there as the index says: the index is of another file by now.
        const isOther = item !== null && entry.id !== '' && item.id !== entry.id;
        if ((!item || isOther) && items.length === 0 && await reindex(volume)) return null;
        if (isOther) break;
        // What cannot be read is passed over together with what comes behind it: until then it may be that the file is written anew.
        if (!item && items.length > 0) break;
        const last = idIn(text, entry);
        const { place } = seat;
        seat = seatIn(volume, { volume: place.items === 0 ? last : place.volume, items: place.items + 1, last, time: entry.time ?? place.time }, found);
        if (!item) {
          unreadable += 1;
          continue;
        }
        items.push(item);
        places.push(seat.place);
        seats.set(seat.place, seat);
        bytes += item.bytes;
        if (items.length >= most || bytes >= mostBytes) break;
      }
    } finally {
      await handle.close();
    }
    return { items, places, place: seat.place, unreadable };
  }

  return {
    async resolve(from) {
      if (from === 'now') return (await end()).place;
      if (from === 'beginning') return BEGINNING;
      return (await since(new Date(Date.parse(from) - 1).toISOString())).place;
    },
    async read(place, wanted) {
      let begin = await seatOf(place);
      let candidate: Seat | null = begin.seat;
      let unreadable = 0;
      for (let tries = 1; candidate && tries <= TRIES;) {
        const taken: Stretch | null = await take(candidate, wanted);
        if (!taken || !(await isThere(candidate))) {
          // It was rotated while it was read: what was read may be of the file that came in its place.
          begin = await seatOf(place);
          candidate = begin.seat;
          [tries, unreadable] = [tries + 1, 0];
        } else {
          unreadable += taken.unreadable;
          if (taken.items.length > 0) return { ...taken, unreadable, mended: begin.mended };
          candidate = await following(candidate);
        }
      }
      return { items: [], places: [], place: begin.mended ?? place, unreadable, mended: begin.mended };
    },
    async remaining(place) {
      const from = (await seatOf(place)).seat;
      const later = [current, ...(await rotatedVolumes(current))].filter((volume) => isBehind(volume, from.volume));
      return count([from, ...later.map((volume) => ({ volume, at: 0 }))]);
    },
  };
}

/** Behind the last item of a volume that is one of those. */
async function lastSeat(volume: Volume, isIt: (entry: IndexEntry) => boolean | Promise<boolean>): Promise<Seat | null> {
  let last: Passed | null = null;
  for await (const item of itemsIn(volume)) if (await isIt(item.entry)) last = item;
  return last && behind(last);
}

/** Before the first item of a volume that is one of those, and whether there is one; otherwise behind all. null: before all. */
async function seatBefore(volume: Volume, isIt: (entry: IndexEntry) => boolean): Promise<readonly [Seat | null, boolean]> {
  let last: Passed | null = null;
  for await (const item of itemsIn(volume)) {
    if (isIt(item.entry)) return [last && await behind(last), true];
    last = item;
  }
  return [last && await behind(last), false];
}

async function behind(last: Passed): Promise<Seat> {
  const { volume, first, items, entry } = last;
  return seatIn(volume, { volume: first, items, last: await idOf(volume, entry), time: entry.time }, last);
}

/** Behind what was found last. */
function seatIn(volume: Volume, place: LogPlace, { line, next }: Found): Seat {
  return { volume, at: next, line, behind: null, place };
}

/** Before the first item of a volume. */
function before(volume: Volume, behind: Volume | null): Seat {
  return { volume, at: 0, line: '', behind, place: BEGINNING };
}

/** null: it is no item. */
function itemOf(log: Item['log'], text: string, { camera, time }: IndexEntry, pictures: boolean): Item | null {
  const value = valueOf(text);
  if (!isObject(value)) return null;
  const shown = pictures ? value : withoutPicture(value);
  const id = describe(value).id || hashOf(text);
  return { log, id, camera_id: camera, time, value: shown as Item['value'], bytes: pictures ? Buffer.byteLength(text) : Buffer.byteLength(JSON.stringify(shown)) };
}
