/** The index beside a file of records: a line for each record that says where it is and what it is about. Derived. */
import { appendFile } from 'node:fs/promises';
import { openIfPresent, readAt, writeAtomically } from '../lib/files.ts';
import type { Facts } from './describe.ts';
import type { Span } from './scan.ts';

export interface IndexEntry extends Span, Facts {}

const BLOCK = 65_536;
const NEWLINE = 0x0a;

export async function replaceIndex(path: string, entries: readonly IndexEntry[]): Promise<void> {
  await writeAtomically(path, entries.map(encode).join(''));
}

/** Not flushed to disk: what a power cut takes is found again when the file is opened. */
export async function appendToIndex(path: string, entries: readonly IndexEntry[]): Promise<void> {
  if (entries.length > 0) await appendFile(path, entries.map(encode).join(''));
}

/** Cuts off a line that a crash left unfinished, so that the next one does not stick to it. */
export async function mendIndex(path: string): Promise<void> {
  const handle = await openIfPresent(path, 'r+');
  if (!handle) return;
  try {
    const { size } = await handle.stat();
    const from = Math.max(0, size - BLOCK);
    const whole = from + (await readAt(handle, from, size - from)).lastIndexOf(NEWLINE) + 1;
    if (whole < size) await handle.truncate(whole);
  } finally {
    await handle.close();
  }
}

/** Reads the index from its end, a block at a time. Lines that cannot be read are passed over. */
export async function* newestFirst(path: string): AsyncGenerator<IndexEntry> {
  const handle = await openIfPresent(path, 'r');
  if (!handle) return;
  try {
    let position = (await handle.stat()).size;
    let rest = Buffer.alloc(0);
    while (position > 0) {
      const length = Math.min(BLOCK, position);
      position -= length;
      const block = Buffer.concat([await readAt(handle, position, length), rest]);
      // The first line of the block may begin in the block before it.
      const from = position === 0 ? 0 : block.indexOf(NEWLINE) + 1;
      rest = from === 0 && position > 0 ? block : block.subarray(0, from);
      if (rest === block) continue;
      for (const line of block.toString('utf8', from).split('\n').reverse()) {
        const entry = decode(line);
        if (entry) yield entry;
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

function encode({ offset, length, id, camera, time, models }: IndexEntry): string {
  return `${JSON.stringify([offset, length, id, camera, time, models])}\n`;
}

function decode(line: string): IndexEntry | null {
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
