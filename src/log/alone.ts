/** Whoever gzips or deletes a rotated file holds its lock meanwhile, in whichever form it is: two at once would bring back what was deleted, or put half of it in its place. */
import { LookoutError } from '../errors.ts';
import { lockFolderOrFile, type Lock } from '../lib/lock.ts';
import type { Log } from '../lib/log.ts';
import { plainFile, type Volume } from './shelf.ts';

const never = new AbortController().signal;

/** What the work comes to; null: somebody else holds the file, and nothing is done. */
export async function alone<Result>(volume: Volume, log: Log, work: () => Promise<Result>, signal = never): Promise<Result | null> {
  const file = plainFile(volume);
  const lock = await lockFolderOrFile(file, { waitMs: 0 }, signal).catch((error: unknown) => {
    if (error instanceof LookoutError && error.code === 'locked') return null;
    throw error;
  });
  if (!lock) return null;
  try {
    return await work();
  } finally {
    await release(lock, file, log);
  }
}

/** The work is done or not done whatever becomes of the lock; a lock that stays behind goes with this process. */
export async function release(lock: Lock, file: string, log: Log): Promise<void> {
  await lock.release().catch((error: unknown) => { log.repeated('warn', 'the lock cannot be released', file, { reason: String(error) }); });
}
