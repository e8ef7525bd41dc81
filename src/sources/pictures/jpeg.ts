/** Whole pictures as the spool wants them: the bytes as they came wherever they will do, else made anew by ffmpeg. */
import { LookoutError } from '../../errors.ts';
import { toJpeg } from '../../lib/ffmpeg.ts';
import { measure, MOST_PIXELS, type Measured } from '../../lib/jpeg.ts';
import type { PictureFile } from '../../types.ts';

/** Nothing larger is taken for a picture, whoever sends it. */
export const MAX_PICTURE_BYTES = 64 * 1024 * 1024;

export interface PictureSettings {
  readonly jpeg_quality: number;
  readonly max_width: number | null;
}

export interface JpegPicture {
  readonly picture: { readonly jpeg: Uint8Array } | PictureFile;
  readonly width: number;
  readonly height: number;
}

/** The picture as a JPEG, upright and no wider than wished. Throws `stream_codec`; `name` says which picture it was, `size` what it measures. */
export async function asJpeg(bytes: Uint8Array, name: string, settings: PictureSettings, signal: AbortSignal, size = measure(bytes)): Promise<JpegPicture> {
  const { jpeg_quality, max_width } = settings;
  if (size && size.width * size.height > MOST_PIXELS) {
    throw new LookoutError('stream_codec', `${name} has ${size.width} x ${size.height} pixels, more than ${MOST_PIXELS / 1024 ** 2} megapixels: let the camera send smaller ones`);
  }
  if (size && willDo(size, settings)) return { picture: { jpeg: bytes }, width: size.width, height: size.height };
  const jpeg = size && await toJpeg(bytes, { jpegQuality: jpeg_quality, maxWidth: max_width, ...size }, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new LookoutError('stream_codec', `${name} cannot be decoded: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
  const made = jpeg && measure(jpeg);
  if (!made) throw new LookoutError('stream_codec', `${name} is neither a JPEG nor a PNG picture`);
  return { picture: { jpeg }, width: made.width, height: made.height };
}

/** A JPEG that needs nothing done to it. */
export function willDo({ type, width, height, orientation }: Measured, { max_width }: PictureSettings): boolean {
  return type === 'jpg' && orientation === 1 && width * height <= MOST_PIXELS && (max_width === null || width <= max_width);
}
