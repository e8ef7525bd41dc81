/** The index beside a file of records: a line for each record that says where it is and what it is about. Derived. */
import { appendFile, type FileHandle, stat } from 'node:fs/promises';
import { openIfPresent, readAt, writeAtomically } from '../lib/files.ts';
import type { Facts } from './describe.ts';
import { linesFromTheEnd } from './lines.ts';
import type { Span } from './scan.ts';
import { decodeSummary, encodeSummary, SUMMARY_BEGINS, type Summary, sumUp } from './summary.ts';
import { EVERYTHING, isPast, isWanted, mayHold, type Wanted } from './wanted.ts';

export interface IndexEntry extends Span, Facts {}

/** About so many bytes of entries have a summary behind them. */
export const STRETCH = 131_072;
/** Entries that are appended in one go, so that many have as many summaries as if they had come one by one. */
const GROUP = 500;
const NEWLINE = 0x0a;

export async function replaceIndex(path: string, entries: readonly IndexEntry[]): Promise<void> {
  const lines: string[] = [];
  let stretch: IndexEntry[] = [];
  let bytes = 0;
  let before: number | null = null;
  for (const entry of entries) {
    const line = encode(entry);
    lines.push(line);
    stretch.push(entry);
    bytes += Buffer.byteLength(line);
    if (bytes < STRETCH) continue;
    const summary = sumUp(stretch, bytes, before);
    lines.push(encodeSummary(summary));
    [stretch, bytes, before] = [[], 0, summary.latest_so_far];
  }
  await writeAtomically(path, lines.join(''));
}

/** Not flushed to disk: what a power cut takes is found again when the file is opened. */
export async function appendToIndex(path: string, entries: readonly IndexEntry[]): Promise<void> {
  for (let from = 0; from < entries.length; from += GROUP) {
    const text = entries.slice(from, from + GROUP).map(encode).join('');
    await appendFile(path, text);
    const { size } = await stat(path);
    // Told by the size alone, so that nothing has to be remembered between appends.
    if (Math.floor(size / STRETCH) !== Math.floor((size - Buffer.byteLength(text)) / STRETCH)) await sumUpTheRest(path, 1);
  }
}

/** Puts a summary behind the entries that have none yet, if they are `least` bytes together. */
export async function sumUpTheRest(path: string, least: number): Promise<void> {
  const handle = await openIfPresent(path, 'r');
  if (!handle) return;
  let rest: Rest;
  try {
    rest = await readRest(handle);
  } finally {
    await handle.close();
  }
  const { entries, bytes, summary } = rest;
  // Begun before there were summaries: from now on it has them throughout.
  if (bytes > 4 * STRETCH) await replaceIndex(path, await readAll(path));
  else if (bytes >= least) await appendFile(path, encodeSummary(sumUp(entries, bytes, summary?.latest_so_far ?? null)));
}

/** Cuts off a line that a crash left unfinished, so that the next one does not stick to it. */
export async function mendIndex(path: string): Promise<void> {
  const handle = await openIfPresent(path, 'r+');
  if (!handle) return;
  try {
    const { size } = await handle.stat();
    if (size === 0 || (await readAt(handle, size - 1, 1))[0] === NEWLINE) return;
    const [unfinished] = (await (await linesFromTheEnd(handle)).previous()) ?? [];
    await handle.truncate(unfinished?.at ?? 0);
  } finally {
    await handle.close();
  }
}

/** The entries that are wanted, from the end of the index. Lines that cannot be read are passed over. */
export async function* newestFirst(path: string, wanted: Wanted = EVERYTHING): AsyncGenerator<IndexEntry> {
  const handle = await openIfPresent(path, 'r');
  if (!handle) return;
  const id = wanted.id === undefined ? '' : JSON.stringify(wanted.id);
  try {
    const lines = await linesFromTheEnd(handle);
    for (let block = await lines.previous(); block !== null; block = await lines.previous()) {
      for (const { text, at } of block) {
        if (!text.startsWith(SUMMARY_BEGINS)) {
          // Whoever looks for one among a million need not read each.
          if (!text.includes(id)) continue;
          const entry = decodeEntry(text);
          if (entry && isWanted(entry, wanted)) yield entry;
          continue;
        }
        const summary = decodeSummary(text, at);
        if (summary === null || mayHold(summary, wanted)) continue;
        if (isPast(summary, wanted)) return;
        lines.leap(at - summary.bytes);
        break;
      }
    }
  } finally {
    await handle.close();
  }
}

/** The last line, or null where there is none that can be read. */
export async function newestEntry(path: string): Promise<IndexEntry | null> {
  for await (const entry of newestFirst(path)) return entry;
  return null;
}

async function readAll(path: string): Promise<IndexEntry[]> {
  const entries: IndexEntry[] = [];
  for await (const entry of newestFirst(path)) entries.push(entry);
  return entries.reverse();
}

interface Rest {
  /** The oldest first. */
  readonly entries: readonly IndexEntry[];
  readonly bytes: number;
  /** The last one, which stands before them. */
  readonly summary: Summary | null;
}

/** What stands behind the last summary. */
async function readRest(handle: FileHandle): Promise<Rest> {
  const { size } = await handle.stat();
  const entries: IndexEntry[] = [];
  const lines = await linesFromTheEnd(handle);
  for (let block = await lines.previous(); block !== null; block = await lines.previous()) {
    for (const { text, at } of block) {
      const summary = text.startsWith(SUMMARY_BEGINS) ? decodeSummary(text, at) : null;
      if (summary) return { entries: entries.reverse(), bytes: size - at - Buffer.byteLength(text) - 1, summary };
      const entry = decodeEntry(text);
      if (entry) entries.push(entry);
    }
  }
  return { entries: entries.reverse(), bytes: size, summary: null };
}

function encode({ offset, length, id, camera, time, models }: IndexEntry): string {
  return `${JSON.stringify([offset, length, id, camera, time, models])}\n`;
}

export function decodeEntry(line: string): IndexEntry | null {
  try {
    const entry: unknown = JSON.parse(line);
    if (!isEntry(entry)) return null;
    const [offset, length, id, camera, time, models] = entry;
    return { offset, length, id, camera, time, models };
  } catch {
    // Empty, half written, or not a line of ours.
    return null;
  }
}

type Line = readonly [offset: number, length: number, id: string, camera: string, time: string | null, models: readonly string[]];

function isEntry(value: unknown): value is Line {
  if (!Array.isArray(value) || value.length !== 6) return false;
  const [offset, length, id, camera, time, models] = value as readonly unknown[];
  return Number.isSafeInteger(offset) && Number.isSafeInteger(length) && typeof id === 'string' && typeof camera === 'string'
    && (time === null || typeof time === 'string') && Array.isArray(models);
}
