/** Puts one record at the end of a file of records, in the same time whatever its size. */
import { open, type FileHandle } from 'node:fs/promises';
import { readAt, writeAt } from '../lib/files.ts';
import type { Tail } from './adopt.ts';
import type { Layout } from './layout.ts';

export interface Appended {
  readonly tail: Tail;
  readonly offset: number;
  readonly length: number;
}

/** Bytes that `append` will write, for those who count before. */
export function appendedSize(tail: Tail, record: Buffer, layout: Layout): number {
  return tail.end + record.length + layout.between.length + layout.closing.length;
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

/** Returns when the record is on the disk. When it fails, the file has been put back to what it was. */
export async function append(file: string, layout: Layout, tail: Tail, record: Buffer): Promise<Appended> {
  const lead = tail.empty ? '' : layout.between;
  const text = Buffer.concat([Buffer.from(lead), record, Buffer.from(layout.closing)]);
  const handle = await open(file, 'r+');
  let mtimeMs: number;
  try {
    await replaceClosing(handle, tail, text);
    ({ mtimeMs } = await handle.stat());
  } finally {
    await handle.close();
  }
  const offset = tail.end + lead.length;
  const end = offset + record.length;
  return { tail: { ...tail, end, closing: Buffer.from(layout.closing), empty: false, mtimeMs }, offset, length: record.length };
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
