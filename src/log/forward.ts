/** Reads items of a log in the order in which they were appended, from a place that survives rotation, gzip and a restart. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { openIfPresent, readAt } from '../lib/files.ts';
import { isObject } from '../lib/objects.ts';
import type { Item, Json, LogPlace, LogReader, Stretch } from '../types.ts';
import { describe, withoutPicture } from './describe.ts';
import { decodeEntry, type IndexEntry } from './index-file.ts';
import { unpackRecord } from './members.ts';
import { rotatedVolumes, type Volume } from './shelf.ts';

/** Of an index, read in one go. */
const BLOCK = 262_144;
const NEWLINE = 0x0a;
const BEGINNING: LogPlace = { volume: '', items: 0, last: '', time: null };

interface Seat {
  readonly volume: Volume;
  /** Of its index file: another one under that name is of another volume, or rewritten. */
  readonly inode: number;
  /** Bytes of the index that were read. */
  readonly at: number;
  readonly place: LogPlace;
}

interface Found {
  readonly entry: IndexEntry;
  /** Where the line behind it begins. */
  readonly next: number;
}

/** The item of that number in its file, from 1. */
interface Passed extends Found {
  readonly volume: Volume;
  readonly items: number;
}

/** `kind`: what its items are called. */
export function createLogReader(current: Volume, kind: Item['log']): LogReader {
  let seat: Seat | null = null;

  async function volumes(): Promise<readonly Volume[]> {
    return [...(await rotatedVolumes(current))].reverse().concat(current);
  }

  /** Where the place is now; null: what stood there is gone, or was rewritten. */
  async function find(place: LogPlace): Promise<Seat | null> {
    const all = await volumes();
    if (place.volume === '') return behind(null);
    for (const volume of all) {
      if (await firstId(volume) !== place.volume) continue;
      const seen = await seek(volume, place.items);
      if (seen && await idOf(volume, seen.entry) === place.last) return seatAt(volume, place, seen.next);
    }
    return search(all, place.last);
  }

  /** The newest item of that id: items move when a file is written anew. */
  async function search(all: readonly Volume[], id: string): Promise<Seat | null> {
    for (const volume of [...all].reverse()) {
      let [items, found] = [0, null as Passed | null];
      for await (const { entry, next } of entriesFrom(volume, 0)) {
        items += 1;
        // Only records that others wrote have to be read to be known.
        if (await idOf(volume, entry) === id) found = { volume, items, entry, next };
      }
      if (found) return behind(found);
    }
    return null;
  }

  /** Before the first item that is later, wherever it is in its file. */
  async function since(time: string | null): Promise<Seat> {
    const from = time === null ? NaN : Date.parse(time);
    let last: Passed | null = null;
    for (const volume of Number.isNaN(from) ? [] : await volumes()) {
      let items = 0;
      for await (const { entry, next } of entriesFrom(volume, 0)) {
        if (entry.time !== null && Date.parse(entry.time) > from) return behind(last);
        items += 1;
        last = { volume, items, entry, next };
      }
    }
    return end();
  }

  async function end(): Promise<Seat> {
    for (const volume of [...await volumes()].reverse()) {
      let items = 0;
      let last: Passed | null = null;
      for await (const { entry, next } of entriesFrom(volume, 0)) {
        items += 1;
        last = { volume, items, entry, next };
      }
      if (last) return behind(last);
    }
    return behind(null);
  }

  /** null: at the beginning of all. */
  async function behind(last: Passed | null): Promise<Seat> {
    if (!last) return seatAt((await volumes())[0] ?? current, BEGINNING, 0);
    const { volume, items, entry, next } = last;
    return seatAt(volume, { volume: await firstId(volume), items, last: await idOf(volume, entry), time: entry.time }, next);
  }

  /** The volume behind this one; null: it is the current one. */
  async function following({ volume, inode }: Seat): Promise<Seat | null> {
    const all = await volumes();
    const at = all.findIndex(({ index }) => index === volume.index);
    // One that had no index any more was about to go, as the oldest.
    const next = at < 0 && inode !== 0 ? undefined : all[at + 1];
    return next ? seatAt(next, BEGINNING, 0) : null;
  }

  async function take(from: Seat, { items: most, bytes: mostBytes, pictures }: { items: number; bytes: number; pictures: boolean }): Promise<Stretch & { readonly seat: Seat }> {
    const items: Item[] = [];
    const places: LogPlace[] = [];
    let bytes = 0;
    let { at, place } = from;
    const { volume } = from;
    const handle = await openIfPresent(volume.file, 'r');
    if (!handle) return { items, places, place, seat: from };
    try {
      for await (const { entry, next } of entriesFrom(volume, at)) {
        const text = await textOf(handle, volume, entry);
        const item = text === null ? null : itemOf(kind, text, entry, pictures);
        // One that is not there as the index says: the index is of another file by now.
        if (item && entry.id !== '' && item.id !== entry.id) break;
        at = next;
        place = { volume: place.items === 0 ? await firstId(volume) : place.volume, items: place.items + 1, last: item?.id ?? entry.id, time: entry.time ?? place.time };
        if (item) {
          items.push(item);
          places.push(place);
          bytes += item.bytes;
        }
        if (items.length >= most || bytes >= mostBytes) break;
      }
    } finally {
      await handle.close();
    }
    return { items, places, place, seat: { ...from, at, place } };
  }

  return {
    async resolve(from) {
      if (from === 'now') return (await end()).place;
      if (from === 'beginning') return BEGINNING;
      return (await since(new Date(Date.parse(from) - 1).toISOString())).place;
    },
    async read(place, wanted) {
      let mended: LogPlace | null = null;
      if (!seat || seat.place !== place || !(await isThere(seat))) {
        // Twice: its file may have got another name meanwhile.
        const found = await find(place) ?? await find(place);
        seat = found ?? await since(place.time);
        if (!found) mended = seat.place;
      }
      for (let candidate: Seat | null = seat; candidate;) {
        const taken: Stretch & { readonly seat: Seat } = await take(candidate, wanted);
        if (!(await isThere(candidate))) {
          // It was rotated while it was read: what was read may be of the file that came in its place.
          seat = await find(place) ?? await since(place.time);
          candidate = seat;
        } else if (taken.items.length > 0) {
          seat = taken.seat;
          return { items: taken.items, places: taken.places, place: taken.place, mended };
        } else candidate = await following(candidate);
      }
      return { items: [], places: [], place: mended ?? place, mended };
    },
    async remaining(place) {
      const from = seat?.place === place && await isThere(seat) ? seat : await find(place) ?? await since(place.time);
      const all = await volumes();
      let count = await linesFrom(from.volume, from.at);
      for (const volume of all.slice(all.findIndex(({ index }) => index === from.volume.index) + 1)) count += await linesFrom(volume, 0);
      return count;
    },
  };
}

async function seatAt(volume: Volume, place: LogPlace, at: number): Promise<Seat> {
  return { volume, inode: await inodeOf(volume.index), at, place };
}

async function isThere({ volume, inode, at }: Seat): Promise<boolean> {
  const now = await stat(volume.index).catch(() => null);
  return (now?.ino ?? 0) === inode && (now?.size ?? 0) >= at;
}

/** 0: there is none yet. */
async function inodeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.ino ?? 0;
}

/** What the place in a volume is known by, whatever the volume is called. Empty: it has no items. */
export async function firstId(volume: Volume): Promise<string> {
  for await (const { entry } of entriesFrom(volume, 0, 4096)) return idOf(volume, entry);
  return '';
}

/** The item of that number, from 1. */
async function seek(volume: Volume, number: number): Promise<Found | null> {
  let items = 0;
  for await (const found of entriesFrom(volume, 0)) {
    items += 1;
    if (items === number) return found;
  }
  return null;
}

async function* entriesFrom({ index }: Volume, from: number, block = BLOCK): AsyncGenerator<Found, void, void> {
  for await (const { text, next } of linesAt(index, from, block)) {
    const entry = decodeEntry(text);
    if (entry) yield { entry, next };
  }
}

export const itemsOf = (volume: Volume): Promise<number> => linesFrom(volume, 0);

async function linesFrom({ index }: Volume, from: number): Promise<number> {
  let count = 0;
  for await (const { text } of linesAt(index, from, BLOCK)) if (text.startsWith('[')) count += 1;
  return count;
}

/** Whole lines only: the last may be on its way. */
async function* linesAt(path: string, from: number, block: number): AsyncGenerator<{ readonly text: string; readonly next: number }, void, void> {
  const handle = await openIfPresent(path, 'r');
  if (!handle) return;
  try {
    let rest = Buffer.alloc(0);
    for (let position = from; ;) {
      const bytes = await readAt(handle, position, block);
      if (bytes.length === 0) return;
      const all = Buffer.concat([rest, bytes]);
      const start = position - rest.length;
      position += bytes.length;
      let at = 0;
      for (let end = all.indexOf(NEWLINE); end >= 0; end = all.indexOf(NEWLINE, at)) {
        yield { text: all.toString('utf8', at, end), next: start + end + 1 };
        at = end + 1;
      }
      rest = all.subarray(at);
    }
  } finally {
    await handle.close();
  }
}

async function idOf(volume: Volume, entry: IndexEntry): Promise<string> {
  if (entry.id !== '') return entry.id;
  const handle = await openIfPresent(volume.file, 'r');
  try {
    const text = handle ? await textOf(handle, volume, entry) : null;
    return text === null ? '' : hashOf(text);
  } finally {
    await handle?.close();
  }
}

/** null: it cannot be read. */
async function textOf(handle: Parameters<typeof readAt>[0], { gzip }: Volume, { offset, length }: IndexEntry): Promise<string | null> {
  const bytes = await readAt(handle, offset, length);
  if (!gzip) return bytes.toString('utf8');
  return unpackRecord(bytes).catch(() => null);
}

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('hex')}`;

/** null: it is no item. */
function itemOf(log: Item['log'], text: string, { camera, time }: IndexEntry, pictures: boolean): Item | null {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const shown = pictures ? value : withoutPicture(value);
  const id = describe(value).id || hashOf(text);
  return { log, id, camera_id: camera, time, value: shown as Item['value'], bytes: pictures ? Buffer.byteLength(text) : Buffer.byteLength(JSON.stringify(shown)) };
}
