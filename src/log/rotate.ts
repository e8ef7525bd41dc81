/** Puts a full file of records away under the time of day, so that a new one can be begun in its place. */
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fsyncFolder, hasCode, linkOrCopy, removeIfPresent } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { isTransient } from '../lib/transient.ts';
import { catchUpRotated } from './catch-up.ts';
import type { Layout } from './layout.ts';
import { nextRotatedVolume, type Volume } from './shelf.ts';

/** Node and many other programs cannot read a text of more than 512 MB. */
const DEFAULT_BYTES = 400_000_000;

/** From how many bytes on a file is put away. By default one that another program began stays in one piece. */
export function rotationLimit(rotate_bytes: number | null, ours: boolean): number {
  return (rotate_bytes ?? (ours ? DEFAULT_BYTES : 0)) || Infinity;
}

/**
 * False when the file cannot be moved, e.g. because it is mounted by itself; then it goes on growing. Its index is there
 * under the new name before the file is, and under the old one until a new file is begun: whoever reads meanwhile finds
 * all records under the one name or the other.
 */
export async function rotate(current: Volume, layout: Layout, log: Log, signal: AbortSignal): Promise<boolean> {
  const next = await nextRotatedVolume(current);
  let isIndexed = false;
  try {
    await linkOrCopy(current.index, next.index).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    await catchUpRotated({ ...next, file: current.file }, layout, signal);
    isIndexed = true;
    await rename(current.file, next.file);
  } catch (error) {
    await removeIfPresent(next.index).catch(() => undefined);
    if (!isIndexed || isTransient(error)) throw error;
    log.warn(`${current.file} cannot be rotated and goes on growing`, { error: String(error) });
    return false;
  }
  await fsyncFolder(dirname(current.file));
  log.info(`${current.file} is begun anew; the records so far are in ${next.file}`);
  return true;
}
