/** Whoever gzips or deletes a rotated file holds its lock meanwhile, in whichever form it is: two at once would bring back what was deleted, or put half of it in its place. */
import { LookoutError } from '../errors.ts';
import { lockFolderOrFile, type Lock } from '../lib/lock.ts';
import { plainFile, type Volume } from './shelf.ts';

/** null: somebody else holds it. */
export async function hold(volume: Volume, signal: AbortSignal): Promise<Lock | null> {
  return lockFolderOrFile(plainFile(volume), { waitMs: 0 }, signal).catch((error: unknown) => {
    if (error instanceof LookoutError && error.code === 'locked') return null;
    throw error;
  });
}
