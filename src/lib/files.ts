/** Files written so that a crash leaves the old content or the new, on the disk and not only in memory. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, type Stats } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Log } from './log.ts';

/**
 * Replaces `path` as a whole: readers see what was there before or all of `data`, and those who could read what was
 * there can read what is there now, unless a `mode` is given. A new file is subject to the umask.
 */
export async function writeAtomically(path: string, data: string | Uint8Array, { mode }: { mode?: number } = {}): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  const before = mode === undefined ? await accessOf(path) : null;
  try {
    const handle = await open(temporary, 'wx', mode ?? 0o666);
    try {
      if (before) await giveAccess(handle, before);
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await removeIfPresent(temporary);
    throw error;
  }
  await fsyncFolder(dirname(path));
}

/** Whom a file belongs to and who may read it. */
export type FileAccess = Pick<Stats, 'mode' | 'uid' | 'gid'>;

/** null: there is no such file. */
export function accessOf(path: string): Promise<FileAccess | null> {
  return ifPresent(stat(path));
}

/** null for an answer that there is no such file. */
export async function ifPresent<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Lets those read a new file who could read the one that it follows. */
export async function giveAccess(handle: FileHandle, { mode, uid, gid }: FileAccess): Promise<void> {
  const own = await handle.stat();
  if (own.uid !== uid || own.gid !== gid) {
    // Only root gives files away; others stay the owners of what they write, and may give it to a group that they are in.
    if (!(await isGiven(handle, uid, gid))) await isGiven(handle, own.uid, gid);
  }
  if ((own.mode & 0o777) !== (mode & 0o777)) await handle.chmod(mode & 0o777);
}

/** False: this process may not. */
async function isGiven(handle: FileHandle, uid: number, gid: number): Promise<boolean> {
  try {
    await handle.chown(uid, gid);
    return true;
  } catch (error) {
    if (mayNot(error)) return false;
    throw error;
  }
}

/** Whether a file could not be given away: it is another's, or whom it is for is not known in this user namespace. */
export function mayNot(error: unknown): boolean {
  return hasCode(error, 'EPERM', 'EINVAL');
}

/** Removes what writeAtomically and linkOrCopy left in a folder when they were killed; only for a folder that nobody else writes to. */
export async function sweepTemporaries(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (/\.[0-9a-f]{8}\.tmp$/.test(name)) await removeIfPresent(join(folder, name));
  }
}

/** Removes what a crash left half done, at a start. What cannot be removed, such as another user's, stays, and does not keep Lookout from starting. */
export async function sweepAway(path: string, log: Log): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    log.warn(`${path} is left half removed`, { reason: String(error) });
  }
}

/** Makes a folder, with those that it lies in, unless it is there. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    // So Node says as well where the file system takes no folder more; this one gives the reason.
    mkdirSync(path, { recursive: true });
  }
}

/** Makes names that were created, renamed or removed in `folder` last through a power cut. */
export async function fsyncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** For files; `rm` does the same with three times the work. */
export async function removeIfPresent(path: string): Promise<void> {
  await ifPresent(unlink(path));
}

/** null when there is no such file: what may be removed at any time is no error once it is gone. */
export async function readIfPresent(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** The opened file, or null when there is none. */
export function openIfPresent(path: string, flags: 'r' | 'r+'): Promise<FileHandle | null> {
  return ifPresent(open(path, flags));
}

/** Times that a file is read which the disk fails to read; then it counts as damaged. */
const READS = 3;
const READ_AGAIN_MS = 100;

/** The bytes of a file; null: the disk does not give them however often it is asked. Throws like readFile otherwise. */
export async function readUnlessDamaged(path: string): Promise<Buffer | null> {
  for (let read = 1; ; read += 1) {
    try {
      return await readFile(path);
    } catch (error) {
      if (!hasCode(error, 'EIO')) throw error;
      if (read === READS) return null;
      await setTimeout(READ_AGAIN_MS);
    }
  }
}

/** Up to `length` bytes from `offset` on; fewer where the file ends. */
export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** All of `bytes` at `offset`, in one write wherever the system takes it whole. */
export async function writeAt(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await handle.write(bytes, written, bytes.length - written, offset + written)).bytesWritten;
  }
}

/** Whether an error of the system has one of these codes, e.g. ENOENT. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Codes of a link that cannot be made where a copy can. */
const NO_LINKS = ['EXDEV', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'];

/** A second name for a file where the file system has hard links, a copy elsewhere. Replaces `target` as a whole. */
export async function linkOrCopy(path: string, target: string): Promise<void> {
  try {
    // Most often nothing is there that would have to be replaced.
    await link(path, target);
    return;
  } catch (error) {
    if (!hasCode(error, 'EEXIST', ...NO_LINKS)) throw error;
  }
  const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await link(path, temporary).catch(async (error: unknown) => {
      if (!hasCode(error, ...NO_LINKS)) throw error;
      await copyFile(path, temporary);
    });
    await rename(temporary, target);
  } finally {
    // After two names of one file, for which rename does nothing, or a failure on the way.
    await removeIfPresent(temporary);
  }
}

export async function isThere(path: string): Promise<boolean> {
  return (await ifPresent(stat(path))) !== null;
}

/** The names in a folder; none when there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await ifPresent(readdir(folder))) ?? [];
}
