/** Reads records, newest first, across the current file and rotated ones, without reading any file as a whole. */
import type { FileHandle } from 'node:fs/promises';
import { openIfPresent, readAt } from '../lib/files.ts';
import type { Json, RecordQuery } from '../types.ts';
import { describe, withoutPicture } from './describe.ts';
import { newestFirst, type IndexEntry } from './index-file.ts';
import { unpackRecord } from './members.ts';
import { newestVolumeFirst, type Volume } from './shelf.ts';
import { wantedBy } from './wanted.ts';

/** The records that match, up to the limit. Index and file are written one after the other: a record in between waits. */
export async function readRecords(current: Volume, query: RecordQuery): Promise<Json[]> {
  const found: Json[] = [];
  if (query.limit <= 0) return found;
  for await (const records of newestVolumeFirst(current, (volume) => readVolume(volume, { ...query, limit: query.limit - found.length }))) {
    found.push(...records);
    if (found.length >= query.limit) break;
  }
  return found;
}

async function readVolume({ file, index, gzip }: Volume, query: RecordQuery): Promise<Json[]> {
  const found: Json[] = [];
  const handle = await openIfPresent(file, 'r');
  if (!handle) return found;
  try {
    for await (const entry of newestFirst(index, wantedBy(query))) {
      const record = await readRecord(handle, entry, gzip ? unpackRecord : asText);
      if (record !== undefined) found.push(query.pictures ? record : withoutPicture(record));
      if (found.length >= query.limit) break;
    }
    return found;
  } finally {
    await handle.close();
  }
}

const asText = (bytes: Buffer): string => bytes.toString('utf8');

/** undefined when it is not there as the index says: the file was rotated, or the index is of another. */
async function readRecord(handle: FileHandle, { offset, length, id }: IndexEntry, textOf: (bytes: Buffer) => string | Promise<string>): Promise<Json | undefined> {
  try {
    const record = JSON.parse(await textOf(await readAt(handle, offset, length))) as Json;
    return describe(record).id === id ? record : undefined;
  } catch (error) {
    // What is no gzip has codes such as Z_DATA_ERROR.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))) return undefined;
    throw error;
  }
}
