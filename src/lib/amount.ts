/** How much lies on a disk: bytes, and files as a file system counts them, an inode each. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Amount {
  readonly bytes: number;
  readonly files: number;
}

export const NOTHING: Amount = { bytes: 0, files: 0 };

export function sum(a: Amount, b: Amount): Amount {
  return { bytes: a.bytes + b.bytes, files: a.files + b.files };
}

export interface Measured extends Amount {
  /** When it was last changed. */
  readonly time: number;
}

/**
 * Of a file, or of a folder with all its files. What cannot be measured counts as nothing, and all else is counted: it may
 * be gone, or a lost+found, or lie where the disk fails.
 */
export async function measure(path: string): Promise<Measured> {
  try {
    const own = await lstat(path);
    if (!own.isDirectory()) return { bytes: own.size, files: 1, time: own.mtimeMs };
    const parts = await Promise.all((await readdir(path)).map((name) => measure(join(path, name))));
    return { ...parts.reduce<Amount>(sum, { bytes: 0, files: 1 }), time: own.mtimeMs };
  } catch {
    return { ...NOTHING, time: 0 };
  }
}

/** In words. */
export function inBytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
