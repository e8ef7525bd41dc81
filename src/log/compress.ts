/** Gzips a rotated file of records. What is in it can be read all the while, and a crash leaves the one file or the other. */
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fsyncFolder, giveAccess, readAt, removeIfPresent } from '../lib/files.ts';
import { replaceIndex, sumUpTheRest, type IndexEntry } from './index-file.ts';
import type { Layout } from './layout.ts';
import { packMember } from './members.ts';
import { gzipped, type Volume } from './shelf.ts';
import { survey } from './survey.ts';

/** False: it is damaged, and stays as it is. Throws the signal's reason when it aborts. */
export async function compress(volume: Volume, layout: Layout, signal: AbortSignal): Promise<boolean> {
  const target = gzipped(volume);
  const temporary = `${target.file}.tmp`;
  try {
    const source = await open(volume.file, 'r');
    try {
      const { entries, whole, size } = await survey(source, layout, null);
      if (!whole || entries.length === 0) return false;
      const into = await open(temporary, 'w');
      try {
        await giveAccess(into, await source.stat());
        await replaceIndex(target.index, await pack(source, entries, size, into, signal));
        await sumUpTheRest(target.index, 1);
        await into.sync();
      } finally {
        await into.close();
      }
    } finally {
      await source.close();
    }
    await rename(temporary, target.file);
  } catch (error) {
    for (const file of [temporary, target.index]) await removeIfPresent(file);
    throw error;
  }
  await fsyncFolder(dirname(target.file));
  await removeVolume(volume);
  return true;
}

/** The index goes first: what a crash leaves is a file that is found again. */
export async function removeVolume({ file, index }: Volume): Promise<void> {
  await removeIfPresent(index);
  await removeIfPresent(file);
}

/** Each record with what stands before it, the last also with what stands behind it. Answers where they are now. */
async function pack(source: FileHandle, entries: readonly IndexEntry[], size: number, into: FileHandle, signal: AbortSignal): Promise<readonly IndexEntry[]> {
  const packed: IndexEntry[] = [];
  let from = 0;
  let offset = 0;
  for (const [index, entry] of entries.entries()) {
    signal.throwIfAborted();
    const to = index === entries.length - 1 ? size : entry.offset + entry.length;
    const member = await packMember(await readAt(source, from, to - from));
    await into.writeFile(member);
    packed.push({ ...entry, offset, length: member.length });
    offset += member.length;
    from = to;
  }
  return packed;
}
