/** Reads the items of one volume by its index, the oldest first. */
import { createHash } from 'node:crypto';
import { openIfPresent, readAt } from '../lib/files.ts';
import { decodeEntry, type IndexEntry } from './index-file.ts';
import { unpackRecord } from './members.ts';
import type { Volume } from './shelf.ts';
import { LARGEST } from './survey.ts';

/** Of an index, read in one go. */
const BLOCK = 262_144;
const [NEWLINE, OPEN_BRACKET] = [0x0a, 0x5b];

export interface Found {
  readonly line: string;
  readonly entry: IndexEntry;
  /** Where the line behind it begins. */
  readonly next: number;
}

/** The item of that number in its file, from 1. */
export interface Passed extends Found {
  readonly volume: Volume;
  /** Id of the first item in it. */
  readonly first: string;
  readonly items: number;
}

/** What the place in a volume is known by, whatever the volume is called. Empty: it has no items. */
export async function firstId(volume: Volume): Promise<string> {
  for await (const { entry } of entriesFrom(volume, 0, 4096)) return idOf(volume, entry);
  return '';
}

/** The item of that number, from 1. */
export async function seek(volume: Volume, number: number): Promise<Passed | null> {
  for await (const item of itemsIn(volume)) if (item.items === number) return item;
  return null;
}

export async function* itemsIn(volume: Volume): AsyncGenerator<Passed, void, void> {
  let first = '';
  let items = 0;
  for await (const found of entriesFrom(volume, 0)) {
    if (items === 0) first = await idOf(volume, found.entry);
    items += 1;
    yield { ...found, volume, first, items };
  }
}

export async function* entriesFrom({ index }: Volume, from: number, block = BLOCK): AsyncGenerator<Found, void, void> {
  for await (const { text, next } of linesAt(index, from, block)) {
    const entry = decodeEntry(text);
    if (entry) yield { line: text, entry, next };
  }
}

export const itemsOf = async (volume: Volume): Promise<number> => (await linesIn(volume, 0)).items;

/** Lines of an index. */
export interface Lines {
  /** Those that are of items. */
  readonly items: number;
  /** Where they end, and the line that ends there; empty: there is none. */
  readonly to: number;
  readonly line: string;
}

/** From the beginning of a line to that of another, or to the end of the index. */
export async function linesIn({ index }: Volume, from: number, until = Infinity): Promise<Lines> {
  let [items, to, line] = [0, from, ''];
  for await (const { lines: block, start } of blocksAt(index, from, Math.min(BLOCK, until - from))) {
    const lines = block.subarray(0, until - start);
    for (let at = 0; at < lines.length; at = lines.indexOf(NEWLINE, at) + 1) if (lines[at] === OPEN_BRACKET) items += 1;
    if (lines.length > 0) [to, line] = [start + lines.length, lines.toString('utf8', lines.lastIndexOf(NEWLINE, -2) + 1, lines.length - 1)];
    if (to >= until) break;
  }
  return { items, to, line };
}

/** Whether the line ends there. */
export async function endsThere({ index }: Volume, at: number, line: string): Promise<boolean> {
  const handle = await openIfPresent(index, 'r');
  if (!handle) return false;
  try {
    const expected = Buffer.from(`${line}\n`);
    return (await readAt(handle, at - expected.length, expected.length)).equals(expected);
  } finally {
    await handle.close();
  }
}

async function* linesAt(path: string, from: number, size: number): AsyncGenerator<{ readonly text: string; readonly next: number }, void, void> {
  for await (const { lines, start } of blocksAt(path, from, size)) {
    let at = 0;
    for (let end = lines.indexOf(NEWLINE); end >= 0; end = lines.indexOf(NEWLINE, at)) {
      yield { text: lines.toString('utf8', at, end), next: start + end + 1 };
      at = end + 1;
    }
  }
}

/** Whole lines only, many at a time: the last may be on its way. */
async function* blocksAt(path: string, from: number, size: number): AsyncGenerator<{ readonly lines: Buffer; readonly start: number }, void, void> {
  const handle = await openIfPresent(path, 'r');
  if (!handle) return;
  try {
    let rest = Buffer.alloc(0);
    for (let position = from; ;) {
      const bytes = await readAt(handle, position, size);
      if (bytes.length === 0) return;
      const all = Buffer.concat([rest, bytes]);
      const whole = all.lastIndexOf(NEWLINE) + 1;
      yield { lines: all.subarray(0, whole), start: position - rest.length };
      position += bytes.length;
      rest = all.subarray(whole);
    }
  } finally {
    await handle.close();
  }
}

export async function idOf(volume: Volume, entry: IndexEntry): Promise<string> {
  if (entry.id !== '') return entry.id;
  const handle = await openIfPresent(volume.file, 'r');
  try {
    return idIn(handle ? await textOf(handle, volume, entry) : null, entry);
  } finally {
    await handle?.close();
  }
}

/** Of the item that has this text; null: it cannot be read, and is known by where it is. */
export function idIn(text: string | null, { id, offset, length }: IndexEntry): string {
  if (id !== '') return id;
  return text === null ? `at-${offset}-${length}` : hashOf(text);
}

/** null: it cannot be read. */
export async function textOf(handle: Parameters<typeof readAt>[0], { gzip }: Volume, { offset, length }: IndexEntry): Promise<string | null> {
  if (length > LARGEST) return null;
  const bytes = await readAt(handle, offset, length);
  if (!gzip) return bytes.toString('utf8');
  return unpackRecord(bytes).catch(() => null);
}

export const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('hex')}`;
