/** Gzips a rotated file of records. What is in it can be read all the while, and a crash leaves the one file or the other. */
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fsyncFolder, giveAccess, isThere, readAt, removeIfPresent } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { alone } from './alone.ts';
import { replaceIndex, sumUpTheRest, type IndexEntry } from './index-file.ts';
import type { Layout } from './layout.ts';
import { membersOf, packMember, unpack } from './members.ts';
import { comparedToPlain, gzipped, pairs, type Volume } from './shelf.ts';
import { survey } from './survey.ts';

/** False: it is damaged, and stays as it is. Throws the signal's reason when it aborts. */
export async function compress(volume: Volume, layout: Layout, signal: AbortSignal): Promise<boolean> {
  const target = gzipped(volume);
  const temporary = `${target.file}.tmp`;
  try {
    const source = await open(volume.file, 'r');
    try {
      const { entries, whole, size } = await survey(source, layout, null, signal);
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

/** Removes what a crash left of a file beside its gzipped form. What is not the same in both forms stays. */
export async function removeOutlived(current: Volume, log: Log): Promise<void> {
  for (const { plain, packed } of await pairs(current)) {
    // Whoever holds it is between the one form and the other.
    await alone(plain, log, async () => {
      if (!(await isThere(plain.file))) return;
      const more = await comparedToPlain(plain, packed);
      if (more === 0 && await isSame(plain, packed).catch(() => false)) await removeVolume(plain);
      else log.warn(`${plain.file} and ${packed.file} are not the same, so only ${more < 0 ? plain.file : packed.file} is read: remove the one that is not needed`);
    });
  }
}

/** Whether the one unpacks to what the other is, byte for byte. Throws where either cannot be read. */
async function isSame(plain: Volume, packed: Volume): Promise<boolean> {
  const text = await open(plain.file, 'r');
  try {
    const members = await open(packed.file, 'r');
    try {
      let at = 0;
      for await (const { offset, length } of membersOf(members)) {
        const part = await unpack(await readAt(members, offset, length));
        if (!part.equals(await readAt(text, at, part.length))) return false;
        at += part.length;
      }
      return at === (await text.stat()).size;
    } finally {
      await members.close();
    }
  } finally {
    await text.close();
  }
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
