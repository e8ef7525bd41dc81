/** Pictures that are named on the command line. */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { imageSizeFromFile } from 'image-size/fromFile';
import { errorInfo, LookoutError } from '../errors.ts';
import { toJpeg } from '../lib/ffmpeg.ts';

/** Throws `bad_frame`. */
export async function sizeOf(image: string): Promise<{ width: number; height: number; type?: string; orientation?: number }> {
  try {
    return await imageSizeFromFile(image);
  } catch (error) {
    throw unreadable(image, error);
  }
}

/** As a server keeps them unless it is told otherwise. */
export const QUALITY = { jpegQuality: 95, maxWidth: null };

/** The picture itself where it is an upright JPEG, else what is made of it in the file `converted`. Throws `bad_frame`. */
export async function uprightJpeg(image: string, converted: string, signal: AbortSignal): Promise<{ readonly file: string; readonly width: number; readonly height: number }> {
  const { width, height, type = '', orientation = 1 } = await sizeOf(image);
  if (type === 'jpg' && orientation === 1) return { file: resolve(image), width, height };
  const jpeg = await toJpeg(await readFile(image), { ...QUALITY, type, orientation }, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error instanceof LookoutError && error.code !== 'bad_frame' ? error : unreadable(image, errorInfo(error).message);
  });
  if (jpeg.length === 0) throw unreadable(image, 'nothing of it can be decoded');
  await writeFile(converted, jpeg);
  const { width: across, height: down } = await sizeOf(converted);
  return { file: converted, width: across, height: down };
}

function unreadable(image: string, error: unknown): LookoutError {
  return new LookoutError('bad_frame', `${image} cannot be read as a picture: ${String(error)}`, { cause: error });
}
