/**
 * The folder of a lock, and in it the file that names the owner (owner.ts). An empty one is of a program that uses
 * proper-lockfile as it comes, or of one who has made it here and moves in next: a draft with the name in it lies beside
 * it until then, which tells whether its maker lives.
 *
 * A folder changes hands by steps that the system lets one of many do, so those who come too late notice and change nothing:
 * - where there is none, by mkdir; the draft is then renamed onto it;
 * - where the owner is gone, by renaming the owner's file to one's own: no two owners have one name;
 * - freed, by renaming it away with the name in it: at no time does it seem a stranger's.
 */
import { rmdirSync, unlinkSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasCode, ifPresent, isThere, namesIn } from './files.ts';
import { fateOf, readOwner } from './owner.ts';

/** Marks an empty folder as made here; where the system ignores it, it seems a stranger's. */
const STICKY = 0o1000;
const UNFINISHED = STICKY | 0o777;

/** Names of this process in folders that it could not free: whoever lives, these are nobody's. */
const leftBehind = new Set<string>();

/** One try. False when somebody else has the folder, or was quicker; `isSilent` is asked about owners who cannot be. */
export async function take(folder: string, name: string, isSilent: () => Promise<boolean>): Promise<boolean> {
  const owners = await ownersOf(folder);
  if (owners === null) return moveIn(folder, name, { make: true });
  const fate = owners.length === 0 && (await isAbandoned(folder)) ? 'gone' : fateOfAll(owners);
  if (fate === 'alive' || (fate === 'unknown' && !(await isSilent()))) return false;
  // All who see these names reach for the same one.
  const [first] = owners;
  if (first === undefined) return moveIn(folder, name, { make: false });
  return isFirstTo(() => rename(join(folder, first), join(folder, name)), 'ENOENT');
}

/** Does nothing where the folder is somebody else's by now. */
export async function free(folder: string, name: string): Promise<void> {
  const away = draftOf(folder, name);
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
  for (const draft of await draftsOf(folder)) {
    if (fateOfOne(draft.name) === 'gone') await rm(draft.path, { recursive: true, force: true });
  }
}

/** Into a folder that it makes, or into an empty one: a silent stranger's, or one whose maker is gone. */
async function moveIn(folder: string, name: string, { make }: { readonly make: boolean }): Promise<boolean> {
  const draft = draftOf(folder, name);
  let moved = false;
  try {
    await mkdir(draft);
    await writeFile(join(draft, name), '');
    moved = await isFirstTo(async () => {
      // Whatever comes between these: others leave the empty folder alone until it has been silent for long.
      if (make) await mkdir(folder, UNFINISHED);
      await rename(draft, folder);
    }, 'EEXIST', 'ENOTEMPTY');
    return moved;
  } finally {
    if (!moved) await rm(draft, { recursive: true, force: true });
  }
}

/** Whether a folder in which there is nobody was made here by one who will not move in any more. */
async function isAbandoned(folder: string): Promise<boolean> {
  const before = await ifPresent(stat(folder));
  if (before === null || (before.mode & STICKY) === 0) return false;
  const drafts = await draftsOf(folder);
  if (drafts.some(({ name }) => fateOfOne(name) !== 'gone')) return false;
  // Whoever moved in meanwhile put another folder in its place.
  const after = await ifPresent(stat(folder));
  return after !== null && after.ino === before.ino && after.ctimeMs === before.ctimeMs;
}

function draftOf(folder: string, name: string): string {
  return `${folder}.${name}`;
}

async function draftsOf(folder: string): Promise<readonly { readonly name: string; readonly path: string }[]> {
  const prefix = `${basename(folder)}.`;
  const names = (await namesIn(dirname(folder))).filter((name) => name.startsWith(prefix));
  return names.map((name) => ({ name: name.slice(prefix.length), path: join(dirname(folder), name) }));
}

/** False for an error that means that somebody else was quicker. */
async function isFirstTo(step: () => Promise<void>, ...lost: readonly string[]): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    if (hasCode(error, ...lost)) return false;
    throw error;
  }
}

function fateOfOne(name: string): ReturnType<typeof fateOf> {
  if (leftBehind.has(name)) return 'gone';
  const owner = readOwner(name);
  return owner ? fateOf(owner) : 'unknown';
}

function fateOfAll(names: readonly string[]): ReturnType<typeof fateOf> {
  const fates = names.map(fateOfOne);
  if (fates.includes('alive')) return 'alive';
  return fates.length === 0 || fates.includes('unknown') ? 'unknown' : 'gone';
}

/** Null when there is no folder. */
async function ownersOf(folder: string): Promise<readonly string[] | null> {
  const names = await ifPresent(readdir(folder));
  return names && names.sort();
}
