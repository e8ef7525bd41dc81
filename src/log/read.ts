/** Reads records, newest first, across the current file and rotated ones, without reading any file as a whole. */
import type { FileHandle } from 'node:fs/promises';
import { openIfPresent } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import type { Json, RecordQuery } from '../types.ts';
import { describe, withoutPicture } from './describe.ts';
import type { Reindex } from './edited.ts';
import { newestFirst, type IndexEntry } from './index-file.ts';
import { textOf } from './items.ts';
import { newestVolumeFirst, ofReadable, type Volume } from './shelf.ts';
import { valueOf } from './value.ts';
import { wantedBy } from './wanted.ts';

/** The records that match, up to the limit. Index and file are written one after the other: a record in between waits. */
export async function readRecords(current: Volume, query: RecordQuery, reindex: Reindex, log: Log): Promise<Json[]> {
  const found: Json[] = [];
  if (query.limit <= 0) return found;
  const readMore = ofReadable((volume) => readVolume(volume, { ...query, limit: query.limit - found.length }, reindex), [], log);
  for await (const records of newestVolumeFirst(current, readMore)) {
    found.push(...records);
    if (found.length >= query.limit) break;
  }
  return found;
}

async function readVolume(volume: Volume, query: RecordQuery, reindex: Reindex): Promise<Json[]> {
  const found: Json[] = [];
  const handle = await openIfPresent(volume.file, 'r');
  if (!handle) return found;
  try {
    for await (const entry of newestFirst(volume.index, wantedBy(query))) {
      const record = await readRecord(handle, volume, entry);
      if (record === null && await reindex(volume)) return await readVolume(volume, query, reindex);
      if (record !== null) found.push(query.pictures ? record : withoutPicture(record));
      if (found.length >= query.limit) break;
    }
    return found;
  } finally {
    await handle.close();
  }
}

/** null: it cannot be read, or is not there as the index says: the file was rotated, or the index is of another. */
async function readRecord(handle: FileHandle, volume: Volume, entry: IndexEntry): Promise<Json | null> {
  const text = await textOf(handle, volume, entry);
  const record = text === null ? null : valueOf(text);
  return describe(record).id === entry.id ? record : null;
}
