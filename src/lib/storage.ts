/** How much room the file system of a folder has. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Amount } from './amount.ts';

/** Of files both are Infinity where the file system sets no limit. */
export interface Storage {
  /** What this user may still write. */
  readonly free: Amount;
  /** In all. */
  readonly size: Amount;
}

/** Of the file system where the folder is, or would be made. */
export async function storageOf(folder: string): Promise<Storage> {
  try {
    const { bavail, bsize, blocks, files, ffree } = await statfs(folder);
    return { free: { bytes: bavail * bsize, files: files === 0 ? Infinity : ffree }, size: { bytes: blocks * bsize, files: files === 0 ? Infinity : files } };
  } catch (error) {
    if (dirname(folder) === folder) throw error;
    return storageOf(dirname(folder));
  }
}
