/** The file systems that some folders lie on: how much room is left on each, and whether it can be written to. */
import { chown, open, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Amount } from '../lib/amount.ts';
import { hasCode, ifPresent } from '../lib/files.ts';
import { storageOf } from '../lib/storage.ts';
import { isOfDisk } from '../lib/transient.ts';

export interface Volume {
  readonly device: number;
  /** Folders of ours on it. */
  readonly folders: readonly string[];
}

export interface Space {
  /** For this user. Of files Infinity where the file system sets no limit. */
  readonly free: Amount;
  /** What is to stay free. */
  readonly reserve: Amount;
}

const RESERVED_SHARE = 0.05;
const MOST_RESERVED: Amount = { bytes: 1e9, files: 10_000 };
/** Enough to find out whether a picture could be written. */
const PROBE = Buffer.alloc(1 << 20);

/** How much the reserve, so many times, is more than what is free; null: it is not. */
export function missing({ free, reserve }: Space, times: number): Amount | null {
  const bytes = Math.max(0, reserve.bytes * times - free.bytes);
  const files = Math.max(0, reserve.files * times - free.files);
  return bytes > 0 || files > 0 ? { bytes, files } : null;
}

export async function volumesOf(folders: readonly string[]): Promise<readonly Volume[]> {
  const byDevice = new Map<number, string[]>();
  for (const folder of new Set(folders)) {
    const device = await deviceOf(folder);
    if (device !== null) byDevice.set(device, [...(byDevice.get(device) ?? []), folder]);
  }
  return [...byDevice].map(([device, own]) => ({ device, folders: own }));
}

/** Where a file lies, which may be a link to another disk. */
export async function folderOf(file: string): Promise<string> {
  return dirname(await realpath(file).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return file;
    throw error;
  }));
}

/** null: there is no such folder. */
export async function deviceOf(folder: string): Promise<number | null> {
  return (await ifPresent(stat(folder)))?.dev ?? null;
}

/** `min_free_bytes` null: a twentieth of the file system, 1 GB at the most. */
export async function spaceOn({ folders }: Volume, min_free_bytes: number | null): Promise<Space> {
  const { free, size } = await storageOf(folders[0] ?? '');
  return {
    free,
    reserve: {
      bytes: min_free_bytes ?? Math.min(MOST_RESERVED.bytes, Math.floor(size.bytes * RESERVED_SHARE)),
      files: Math.min(MOST_RESERVED.files, Math.floor(size.files * RESERVED_SHARE)),
    },
  };
}

/** Resolves once its folders take a change: a disk that hangs may go on telling its numbers. What fails is told where something is written. */
export async function touch({ folders }: Volume): Promise<void> {
  // To the owner that it has: no time or mode is set that somebody else may be setting.
  for (const folder of folders) await chown(folder, -1, -1).catch(() => undefined);
}

/** For what reason of the disk's nothing can be written to one of its folders now; null: for none. A quota is no matter of free space. */
export async function writingFails({ folders }: Volume): Promise<unknown> {
  for (const folder of folders) {
    const file = join(folder, '.probe.tmp');
    try {
      const handle = await open(file, 'w');
      try {
        await handle.writeFile(PROBE);
        await handle.datasync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isOfDisk(error)) return error;
    } finally {
      await rm(file, { force: true }).catch(() => undefined);
    }
  }
  return null;
}
