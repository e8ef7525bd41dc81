/** Pictures in files, one at each tick. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LookoutError } from '../../errors.ts';
import { hasCode } from '../../lib/files.ts';
import type { CapturedFrame } from '../../types.ts';
import { asJpeg, type PictureSettings } from './jpeg.ts';
import { createTicks } from './ticks.ts';

/** Sorted by name, as people count: 2 before 10. */
export async function picturesIn(folder: string): Promise<readonly string[]> {
  const files = (await readdir(folder).catch(unreadable(folder))).filter((file) => isPicture(file) && !file.startsWith('.'));
  if (files.length === 0) throw new LookoutError('stream_not_found', `${folder} holds no picture (.jpg, .jpeg, .png)`);
  return files.sort(new Intl.Collator('en', { numeric: true }).compare).map((file) => join(folder, file));
}

export function isPicture(file: string): boolean {
  return /\.(jpe?g|png)$/i.test(file);
}

/** Ends by abort, or by throwing `stream_ended` after the last picture. */
export async function* folderFrames(
  files: readonly string[], intervalSeconds: number, settings: PictureSettings, signal: AbortSignal,
): AsyncGenerator<CapturedFrame, void, void> {
  const ticks = createTicks(intervalSeconds);
  for (let index = 0; index < files.length; index += 1) {
    await ticks.wait(signal);
    if (signal.aborted) return;
    // A slow consumer gets the picture of this tick, as from a camera; but the last one in any case.
    const missed = Math.min(ticks.take(), files.length - 1 - index);
    index += missed;
    const file = files[index] ?? '';
    const captured_at = new Date().toISOString();
    const picture = await asJpeg(await readFile(file).catch(unreadable(file)), basename(file), settings, signal);
    ticks.forgive();
    yield { ...picture, captured_at, missed, mode: 'pictures' };
  }
  throw new LookoutError('stream_ended', 'the last picture has been shown');
}

/** What to do when the system cannot read a path. */
export function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    const why = hasCode(error, 'ENOENT', 'ENOTDIR') ? 'does not exist' : `cannot be read: ${String(error)}`;
    throw new LookoutError('stream_not_found', `${path} ${why}`, { cause: error });
  };
}
