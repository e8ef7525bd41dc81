/** How much lies on a disk: bytes, and files as a file system counts them, an inode each. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './files.ts';

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

/** Of a file, or of a folder with all its files; nothing where there is none, or none that may be seen: on a disk of its own there is a lost+found. */
export async function measure(path: string): Promise<Measured> {
  try {
    const own = await lstat(path);
    if (!own.isDirectory()) return { bytes: own.size, files: 1, time: own.mtimeMs };
    const parts = await Promise.all((await readdir(path)).map((name) => measure(join(path, name))));
    return { ...parts.reduce<Amount>(sum, { bytes: 0, files: 1 }), time: own.mtimeMs };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'EPERM')) return { ...NOTHING, time: 0 };
    throw error;
  }
}

/** In words. */
export function inBytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
