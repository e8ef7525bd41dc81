/** Brings the index of a file of records up to what is in the file; rebuilds it when it is of another. */
import { stat, type FileHandle } from 'node:fs/promises';
import { LookoutError } from '../errors.ts';
import { openIfPresent, readAt } from '../lib/files.ts';
import { NO_FACTS } from './describe.ts';
import { appendToIndex, mendIndex, newestEntry, replaceIndex, STRETCH, sumUpTheRest, type IndexEntry } from './index-file.ts';
import type { Layout } from './layout.ts';
import { membersOf, unpackRecord } from './members.ts';
import type { Volume } from './shelf.ts';
import { factsOf, fits, survey, type Survey } from './survey.ts';

/** Reads the file from its last indexed record on: next to nothing, or all of it where the index is of no use. */
export async function catchUp(handle: FileHandle, index: string, layout: Layout, signal: AbortSignal): Promise<Survey> {
  await mendIndex(index);
  const last = await newestEntry(index);
  const known = last && (await fits(handle, last)) && !(await isEdited(handle, index, last, layout)) ? last : null;
  const found = await survey(handle, layout, known, signal);
  await (known ? appendToIndex(index, found.entries) : replaceIndex(index, found.entries));
  await sumUpTheRest(index, STRETCH);
  return found;
}

/** Whether somebody has written to the file since the index was, and appended nothing: then it was in the middle. */
async function isEdited(handle: FileHandle, index: string, last: IndexEntry, { closing }: Layout): Promise<boolean> {
  const [file, { mtimeMs }] = await Promise.all([handle.stat(), stat(index)]);
  return file.mtimeMs > mtimeMs && file.size === last.offset + last.length + Buffer.byteLength(closing);
}

/** The same for a file that is only read from now on, unless it went meanwhile. */
export async function catchUpRotated({ file, index, gzip }: Volume, layout: Layout, signal: AbortSignal): Promise<void> {
  const handle = await openIfPresent(file, 'r');
  if (!handle) return;
  try {
    await (gzip ? catchUpMembers(handle, index, signal) : catchUp(handle, index, layout, signal));
    await sumUpTheRest(index, 1);
  } finally {
    await handle.close();
  }
}

/** One that is whole says of the last member that the file ends with it. Throws when it is not, once what there is is indexed. */
async function catchUpMembers(handle: FileHandle, index: string, signal: AbortSignal): Promise<void> {
  await mendIndex(index);
  const last = await newestEntry(index);
  const { size } = await handle.stat();
  if (last && last.offset + last.length === size) return;
  const entries: IndexEntry[] = [];
  for await (const span of membersOf(handle)) {
    signal.throwIfAborted();
    const text = await unpackRecord(await readAt(handle, span.offset, span.length)).catch(() => '');
    entries.push({ ...span, ...(factsOf(text) ?? NO_FACTS) });
  }
  await replaceIndex(index, entries);
  const whole = entries.at(-1);
  const end = whole ? whole.offset + whole.length : 0;
  if (end < size || size === 0) {
    throw new LookoutError('log_failed', `from byte ${end} on it is damaged, or another program gzipped it: gunzip it, and its records are read after the next start`);
  }
}
