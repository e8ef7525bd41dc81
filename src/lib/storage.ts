/** How much room the file system of a folder has. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface StorageRoom {
  /** Bytes that this user may still write, and of the file system in all. */
  readonly free_bytes: number;
  readonly size_bytes: number;
  /** Files that may still be made; null: they are not numbered there. */
  readonly free_inodes: number | null;
}

/** Of the file system where the folder is, or would be made. */
export async function storageRoom(folder: string): Promise<StorageRoom> {
  try {
    const { bavail, bsize, blocks, files, ffree } = await statfs(folder);
    return { free_bytes: bavail * bsize, size_bytes: blocks * bsize, free_inodes: files === 0 ? null : ffree };
  } catch (error) {
    if (dirname(folder) === folder) throw error;
    return storageRoom(dirname(folder));
  }
}
