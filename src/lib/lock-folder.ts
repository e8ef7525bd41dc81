/**
 * The folder of a lock, and in it the file that names the owner (owner.ts). An empty one is of a program that uses
 * proper-lockfile as it comes, unless it is marked as made here.
 *
 * A folder changes hands by steps that the system lets one of many do, so those who come too late notice and change nothing:
 * - where there is none, by mkdir, and by renaming a draft with the name in it onto the folder while that is empty;
 * - where the owner is gone, by renaming the owner's file to one's own: no two owners have one name;
 * - freed, by renaming it away with the name in it: at no time does it seem a stranger's.
 */
import { mkdirSync, renameSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasCode, isThere, namesIn } from './files.ts';
import { fateOf, readOwner } from './owner.ts';

/** Marks an empty folder as made here, so that nobody waits for one who was killed before moving in; where the system ignores it, it seems a stranger's. */
const STICKY = 0o1000;
const UNFINISHED = STICKY | 0o777;

/** Names of this process in folders that it could not free: whoever lives, these are nobody's. */
const leftBehind = new Set<string>();

/** One try. False when somebody else has the folder, or was quicker; `isSilent` is asked about owners who cannot be. */
export async function take(folder: string, name: string, isSilent: () => Promise<boolean>): Promise<boolean> {
  const owners = await ownersOf(folder);
  if (owners === null) return moveIn(folder, name, { silent: false });
  const fate = fateOfAll(owners);
  if (fate === 'alive' || (fate === 'unknown' && !(await isSilent()))) return false;
  // All who see these names reach for the same one.
  const [first] = owners;
  if (first === undefined) return moveIn(folder, name, { silent: true });
  return isFirstTo(() => rename(join(folder, first), join(folder, name)), 'ENOENT');
}

/** Does nothing where the folder is somebody else's by now. */
export async function free(folder: string, name: string): Promise<void> {
  const away = `${folder}.${name}`;
  try {
    if (!(await ownersOf(folder))?.includes(name)) return;
    // ENOENT: somebody has just removed it by hand.
    await isFirstTo(() => rename(folder, away), 'ENOENT');
    await remove(away, name);
  } catch (error) {
    leftBehind.add(name);
    throw error;
  }
}

/** A folder of one file; `rm` does the same with three times the work, and each append frees a lock. */
async function remove(folder: string, name: string): Promise<void> {
  try {
    await unlink(join(folder, name));
    await rmdir(folder);
  } catch {
    await rm(folder, { recursive: true, force: true });
  }
}

/** For a process that ends. */
export function freeSync(folder: string, name: string): void {
  unlinkSync(join(folder, name));
  rmdirSync(folder);
}

/** Whether somebody has the folder who cannot be asked: a process of another machine, or a program that leaves no name. */
export async function isStrangers(folder: string): Promise<boolean> {
  const owners = await ownersOf(folder);
  return owners !== null && fateOfAll(owners) === 'unknown';
}

/** Whether the folder is still that of the owner with this name. */
export function isOwners(folder: string, name: string): Promise<boolean> {
  return isThere(join(folder, name));
}

export async function ownersInWords(folder: string): Promise<string> {
  const owners = ((await ownersOf(folder)) ?? []).map((name) => readOwner(name)?.pid ?? name);
  return owners.length === 0 ? 'another program' : `process ${owners.join(', ')}`;
}

/** Removes the drafts, and the folders renamed away, of processes that were killed before they had done it. */
export async function sweep(folder: string): Promise<void> {
  const prefix = `${basename(folder)}.`;
  for (const draft of (await namesIn(dirname(folder))).filter((name) => name.startsWith(prefix))) {
    const owner = readOwner(draft.slice(prefix.length));
    if (owner && fateOf(owner) === 'gone') await rm(join(dirname(folder), draft), { recursive: true, force: true });
  }
}

/** Into a folder that it makes, or into an empty one: that of a silent stranger, or one that was made and not moved into. */
async function moveIn(folder: string, name: string, { silent }: { readonly silent: boolean }): Promise<boolean> {
  const draft = `${folder}.${name}`;
  let moved = false;
  try {
    await mkdir(draft);
    await writeFile(join(draft, name), '');
    moved = await isFirstTo(() => {
      // Without a pause in between, in which the folder could become a stranger's.
      if (!silent && !isUnfinished(folder)) mkdirSync(folder, UNFINISHED);
      renameSync(draft, folder);
    }, 'EEXIST', 'ENOTEMPTY');
    return moved;
  } finally {
    if (!moved) await rm(draft, { recursive: true, force: true });
  }
}

/** False for an error that means that somebody else was quicker. */
async function isFirstTo(step: () => void | Promise<void>, ...lost: readonly string[]): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    if (hasCode(error, ...lost)) return false;
    throw error;
  }
}

function fateOfAll(names: readonly string[]): ReturnType<typeof fateOf> {
  const fates = names.map((name) => {
    if (leftBehind.has(name)) return 'gone';
    const owner = readOwner(name);
    return owner ? fateOf(owner) : 'unknown';
  });
  if (fates.includes('alive')) return 'alive';
  return fates.length === 0 || fates.includes('unknown') ? 'unknown' : 'gone';
}

/** Null when there is no folder, or nobody has moved in. */
async function ownersOf(folder: string): Promise<readonly string[] | null> {
  try {
    const names = (await readdir(folder)).sort();
    return names.length === 0 && isUnfinished(folder) ? null : names;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function isUnfinished(folder: string): boolean {
  return ((statSync(folder, { throwIfNoEntry: false })?.mode ?? 0) & STICKY) !== 0;
}
