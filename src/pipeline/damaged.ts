/** Frames of an earlier run that are no whole pictures, as a power cut leaves them: told, entered in the books, left out. */
import { hasCode, readUnlessDamaged } from '../lib/files.ts';
import { measure } from '../lib/jpeg.ts';
import type { Batch } from '../types.ts';
import type { Books } from '../store/books.ts';
import type { Spool } from '../store/spool.ts';

/** Pixels; null: not a whole picture. Throws where there is no such file. */
export async function pictureSize(path: string): Promise<{ readonly width: number; readonly height: number } | null> {
  const bytes = await readUnlessDamaged(path);
  const size = bytes && measure(bytes);
  return size && !size.torn ? { width: size.width, height: size.height } : null;
}

/** Once, however often a crash comes before the frame is gone. */
export async function enterDamaged(camera_id: string, key: string, books: Books): Promise<void> {
  if (books.settled(key)) return;
  await books.settle({ camera_id, batch: key, outcome: 'dropped', reason: 'damaged', frames: 1, files: [key] });
}

/** The batch without its damaged frames, which may be all of them. One that somebody removed stays named: it is not known to be damaged. */
export async function withoutDamaged(batch: Batch, { books, spool }: { readonly books: Books; readonly spool: Spool }): Promise<Batch> {
  const damaged = new Set<string>();
  for (const { key } of batch.frames) if (await isDamaged(spool.path(key))) damaged.add(key);
  if (damaged.size === 0) return batch;
  for (const key of damaged) await enterDamaged(batch.camera_id, key, books);
  const rest = { ...batch, frames: batch.frames.filter(({ key }) => !damaged.has(key)) };
  if (rest.frames.length === 0) return rest;
  // Before the files go: what a crash leaves is either named here or a loose frame that the books know.
  await spool.writeManifest(rest);
  for (const key of damaged) await spool.remove(key);
  return rest;
}

async function isDamaged(path: string): Promise<boolean> {
  try {
    return await pictureSize(path) === null;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
