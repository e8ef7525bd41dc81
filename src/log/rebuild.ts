/**
 * Writes a file of records anew that is damaged before its end: with every record that can still be read, in order. The
 * file as it was is kept beside it, whole.
 */
import { copyFile, open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nameAside, replaceKeeping } from '../lib/aside.ts';
import { fsyncFolder, giveAccess, hasCode, readAt, removeIfPresent } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { isTransient } from '../lib/transient.ts';
import { replaceIndex, type IndexEntry } from './index-file.ts';
import type { Layout } from './layout.ts';
import type { Volume } from './shelf.ts';
import { entryOf, survey } from './survey.ts';

const CHUNK = 1 << 20;
const [NEWLINE, RETURN, COMMA] = [0x0a, 0x0d, 0x2c];
/** A longer line is no record, and would have to be held. */
const LONGEST_LINE = 1 << 26;

/** Records in or behind what is damaged: each stands on a line of its own, as Lookout writes them. `end`: before what; none: the end of the file. */
export async function* recordLines(handle: FileHandle, from: number, end = Infinity): AsyncGenerator<IndexEntry> {
  let line = Buffer.alloc(0);
  let lineAt = from;
  for (let position = from; ; ) {
    const chunk = await readAt(handle, position, Math.min(CHUNK, end - position));
    position += chunk.length;
    line = Buffer.concat([line, chunk]);
    for (let length = line.indexOf(NEWLINE); length !== -1; length = line.indexOf(NEWLINE)) {
      yield* recordOn(line.subarray(0, length), lineAt);
      lineAt += length + 1;
      line = line.subarray(length + 1);
    }
    if (chunk.length === 0) break;
    if (line.length > LONGEST_LINE) {
      lineAt += line.length;
      line = Buffer.alloc(0);
    }
  }
  yield* recordOn(line, lineAt);
}

function recordOn(line: Buffer, at: number): readonly IndexEntry[] {
  let { length } = line;
  if (line[length - 1] === RETURN) length -= 1;
  if (line[length - 1] === COMMA) length -= 1;
  const entry = entryOf(line.subarray(0, length), at);
  return entry === null ? [] : [entry];
}

/** False where the file cannot be written anew; it stays as it is then. Throws what passes, such as a full disk: with room for it nothing is lost. */
export async function rebuild(handle: FileHandle, { file, index }: Volume, layout: Layout, log: Log, signal: AbortSignal): Promise<boolean> {
  const { entries, end } = await survey(handle, layout, null, signal);
  const sound: IndexEntry[] = [];
  for (const { isRecord, ...entry } of entries) {
    if (isRecord) sound.push(entry);
    // Where a record is cut short, those behind it seem to be its own.
    else for await (const within of recordLines(handle, entry.offset, entry.offset + entry.length)) sound.push(within);
  }
  for await (const beyond of recordLines(handle, end ?? 0)) sound.push(beyond);
  const draft = `${await nameAside(file, 'damaged')}.tmp`;
  let moved: readonly IndexEntry[];
  let aside: string;
  try {
    moved = await copyRecords(handle, draft, layout, sound);
    aside = await replaceKeeping(file, () => moveOver(draft, file));
  } catch (error) {
    await removeIfPresent(draft);
    if (isTransient(error)) throw error;
    log.error(`${file} is damaged before its end, and cannot be written anew`, { reason: String(error) });
    return false;
  }
  await fsyncFolder(dirname(file));
  await replaceIndex(index, moved);
  log.error(`${file} was damaged before its end; it is written anew with the ${sound.length} records that can be read, and the file as it was is kept as ${aside}`);
  return true;
}

/** A file that is mounted by itself, as into a container, can be written, and not replaced. */
async function moveOver(draft: string, file: string): Promise<void> {
  try {
    await rename(draft, file);
  } catch (error) {
    if (!hasCode(error, 'EBUSY')) throw error;
    await copyFile(draft, file);
    const handle = await open(file, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await removeIfPresent(draft);
  }
}

async function copyRecords(from: FileHandle, path: string, { opening, between, closing }: Layout, entries: readonly IndexEntry[]): Promise<readonly IndexEntry[]> {
  const to = await open(path, 'wx');
  try {
    await giveAccess(to, await from.stat());
    const moved: IndexEntry[] = [];
    let offset = 0;
    const write = async (bytes: Buffer): Promise<void> => {
      await to.appendFile(bytes);
      offset += bytes.length;
    };
    await write(Buffer.from(opening));
    for (const { offset: at, ...entry } of entries) {
      if (moved.length > 0) await write(Buffer.from(between));
      moved.push({ ...entry, offset });
      await write(await readAt(from, at, entry.length));
    }
    await write(Buffer.from(closing));
    await to.sync();
    return moved;
  } finally {
    await to.close();
  }
}
