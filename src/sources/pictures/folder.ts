/** Pictures in files, one at each tick. */
import { copyFile, open, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LookoutError } from '../../errors.ts';
import { hasCode, readAt } from '../../lib/files.ts';
import { measure } from '../../lib/jpeg.ts';
import type { CapturedFrame } from '../../types.ts';
import { asJpeg, willDo, type JpegPicture, type PictureSettings } from './jpeg.ts';
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

/** Pictures of cameras and of ffmpeg say within this what they are; those of phones are read whole. */
const HEAD_BYTES = 2048;

/** Pictures are made or copied in `folder`. Ends by abort, or by throwing `stream_ended` after the last picture. */
export async function* folderFrames(
  files: readonly string[], folder: string, intervalSeconds: number, settings: PictureSettings, signal: AbortSignal,
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
    const picture = await copied(file, join(folder, 'picture.tmp'), settings)
      ?? await asJpeg(await readFile(file).catch(unreadable(file)), basename(file), settings, signal);
    ticks.forgive();
    yield { ...picture, captured_at, missed, mode: 'pictures' };
  }
  throw new LookoutError('stream_ended', 'the last picture has been shown');
}

/** The picture as it is, without its bytes passing through here; null: it must be made anew, or cannot be copied. */
async function copied(file: string, target: string, settings: PictureSettings): Promise<JpegPicture | null> {
  try {
    const { head, bytes } = await headOf(file);
    const size = measure(head);
    if (!size || !willDo(size, settings)) return null;
    await copyFile(file, target);
    return { picture: { file: target, bytes }, width: size.width, height: size.height };
  } catch {
    // Whoever reads the file, and writes it where its folder is, says what is wrong.
    return null;
  }
}

async function headOf(file: string): Promise<{ readonly head: Buffer; readonly bytes: number }> {
  const handle = await open(file);
  try {
    return { head: await readAt(handle, 0, HEAD_BYTES), bytes: (await handle.stat()).size };
  } finally {
    await handle.close();
  }
}

/** What to do when the system cannot read a path. */
export function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    const why = hasCode(error, 'ENOENT', 'ENOTDIR') ? 'does not exist' : `cannot be read: ${String(error)}`;
    throw new LookoutError('stream_not_found', `${path} ${why}`, { cause: error });
  };
}
