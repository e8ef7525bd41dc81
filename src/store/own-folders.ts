/** Makes Lookout's folders its own: no other process may write there while it runs. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errorInfo, LookoutError } from '../errors.ts';
import { hasCode, makeFolder, sweepTemporaries } from '../lib/files.ts';
import { type Lock, lockFolderOrFile } from '../lib/lock.ts';
import type { Config } from '../types.ts';

const LOCK = '.lookout';
const WAIT_MS = 1000;
/** What was seen so lately still holds: a hundred cameras write hundreds of times a second. */
const FRESH_MS = 50;

/** Asked before each write: throws `locked` when a folder is somebody else's by now, or was a moment ago. */
export type ExpectOurs = () => Promise<void>;

export interface OwnFolders {
  readonly expectOurs: ExpectOurs;
  /** Gives them back. */
  readonly release: () => Promise<void>;
}

/** `lose` is told when somebody else has taken one: nothing more may be written there. */
export async function takeFolders(
  { data_dir, frames_dir }: Pick<Config, 'data_dir' | 'frames_dir'>, lose: (error: LookoutError) => void, signal: AbortSignal,
): Promise<OwnFolders> {
  const locks: Lock[] = [];
  const release = async (): Promise<void> => { for (const lock of locks.reverse()) await lock.release(); };
  try {
    // Two paths may lead to one.
    const places = new Set<string>();
    for (const folder of [data_dir, frames_dir]) {
      const place = await inWords(folder, () => made(folder));
      if (!places.has(place)) locks.push(await inWords(folder, () => take(folder, lose, signal)));
      places.add(place);
    }
    await sweepTemporaries(data_dir);
    return { release, expectOurs: heldFor(FRESH_MS, async () => { for (const lock of locks) await lock.expectHeld(); }) };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Asks once for all who ask within so long. */
function heldFor(ms: number, ask: () => Promise<void>): ExpectOurs {
  let last: Promise<void> = Promise.resolve();
  let askedMs = -Infinity;
  return () => {
    if (performance.now() - askedMs > ms) {
      askedMs = performance.now();
      last = ask();
    }
    return last;
  };
}

/** Where it lies. */
async function made(folder: string): Promise<string> {
  await makeFolder(folder);
  return realpath(folder);
}

function take(folder: string, lose: (error: LookoutError) => void, signal: AbortSignal): Promise<Lock> {
  return lockFolderOrFile(join(folder, LOCK), {
    waitMs: WAIT_MS, onCompromised: ({ code, message }) => { lose(new LookoutError(code, `the lock on ${folder} was lost: ${message}`)); },
  }, signal);
}

async function inWords<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LookoutError && error.code === 'locked') {
      throw new LookoutError('locked', `${error.message}; if ${folder} is a copy of one that is in use, remove ${join(folder, LOCK)}.lock`, { cause: error });
    }
    if (!hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT')) throw error;
    const mend = hasCode(error, 'ENOENT') ? 'its path is a link that leads nowhere, or a disk that is not mounted: mount that' : 'make it this user\'s own';
    throw new LookoutError('config_invalid', `nothing can be written to the folder ${folder} (${errorInfo(error).message}); ${mend}, or name another with --data-dir and --frames-dir`, { cause: error });
  }
}
