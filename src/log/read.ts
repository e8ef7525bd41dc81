/** Reads records, newest first, across the current file and rotated ones, without reading any file as a whole. */
import type { FileHandle } from 'node:fs/promises';
import { openIfPresent, readAt } from '../lib/files.ts';
import type { Json, RecordQuery } from '../types.ts';
import { describe, withoutPicture } from './describe.ts';
import { newestFirst, type IndexEntry } from './index-file.ts';
import { rotatedVolumes, type Volume } from './shelf.ts';
import { wantedBy } from './wanted.ts';

/** The records that match, up to the limit. Index and file are written one after the other: a record in between waits. */
export async function readRecords(current: Volume, query: RecordQuery): Promise<Json[]> {
  const found: Json[] = [];
  for (const volume of [current, ...(await rotatedVolumes(current))]) {
    if (found.length >= query.limit) break;
    found.push(...(await readVolume(volume, { ...query, limit: query.limit - found.length })));
  }
  return found;
}

async function readVolume({ file, index }: Volume, query: RecordQuery): Promise<Json[]> {
  const found: Json[] = [];
  const handle = await openIfPresent(file, 'r');
  if (!handle) return found;
  try {
    for await (const entry of newestFirst(index, wantedBy(query))) {
      const record = await readRecord(handle, entry);
      if (record !== undefined) found.push(query.pictures ? record : withoutPicture(record));
      if (found.length >= query.limit) break;
    }
    return found;
  } finally {
    await handle.close();
  }
}

/** undefined when it is not there as the index says: the file was rotated, or the index is of another. */
async function readRecord(handle: FileHandle, { offset, length, id }: IndexEntry): Promise<Json | undefined> {
  try {
    const record = JSON.parse((await readAt(handle, offset, length)).toString('utf8')) as Json;
    return describe(record).id === id ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
