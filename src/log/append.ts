/** Puts records at the end of a file of records, in the same time whatever its size. */
import { open, type FileHandle } from 'node:fs/promises';
import { readAt, writeAt } from '../lib/files.ts';
import type { Tail } from './adopt.ts';
import type { Facts } from './describe.ts';
import type { IndexEntry } from './index-file.ts';
import type { Layout } from './layout.ts';

/** A record to append. */
export interface Line {
  readonly bytes: Buffer;
  readonly facts: Facts;
}

export interface Appended {
  readonly tail: Tail;
  readonly entries: readonly IndexEntry[];
}

/** Bytes of the file with these at its end, for those who count before. */
export function appendedSize(tail: Tail, lines: readonly Line[], layout: Layout): number {
  return lines.reduce((sum, { bytes }) => sum + layout.between.length + bytes.length, tail.end + layout.closing.length);
}

/** Whether the file still ends as we left it; if not, somebody else wrote to it. */
export async function isAsLeft(file: string, { end, closing, mtimeMs }: Tail): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => null);
  // Absent or out of reach: whoever takes it over finds out.
  if (!handle) return false;
  try {
    const now = await handle.stat();
    return now.mtimeMs === mtimeMs && now.size === end + closing.length && (await readAt(handle, end, closing.length)).equals(closing);
  } finally {
    await handle.close();
  }
}

/** Returns when the records are on the disk. When it fails, the file has been put back to what it was. */
export async function append(file: string, layout: Layout, tail: Tail, lines: readonly Line[]): Promise<Appended> {
  const parts: Buffer[] = [];
  const entries: IndexEntry[] = [];
  let { end, empty } = tail;
  for (const { bytes, facts } of lines) {
    const lead = empty ? '' : layout.between;
    parts.push(Buffer.from(lead), bytes);
    entries.push({ offset: end + lead.length, length: bytes.length, ...facts });
    end += lead.length + bytes.length;
    empty = false;
  }
  const closing = Buffer.from(layout.closing);
  const handle = await open(file, 'r+');
  try {
    await replaceClosing(handle, tail, Buffer.concat([...parts, closing]));
    const { mtimeMs } = await handle.stat();
    return { tail: { ...tail, end, closing, empty, mtimeMs }, entries };
  } finally {
    await handle.close();
  }
}

/** One write, from where the last record ends. Putting it back needs no room: those bytes have their place already. */
async function replaceClosing(handle: FileHandle, { end, closing }: Tail, text: Buffer): Promise<void> {
  try {
    await writeAt(handle, end, text);
    if (closing.length > text.length) await handle.truncate(end + text.length);
    await handle.datasync();
  } catch (error) {
    try {
      await writeAt(handle, end, closing);
      await handle.truncate(end + closing.length);
      await handle.datasync();
    } catch (second) {
      throw new AggregateError([error, second], `${String(error)}, and the file could not be put back: ${String(second)}`);
    }
    throw error;
  }
}
