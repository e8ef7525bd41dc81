/** Whole pictures as the spool wants them: the bytes as they came wherever they will do, else made anew by ffmpeg. */
import { imageSize } from 'image-size';
import { LookoutError } from '../../errors.ts';
import { toJpeg } from '../../lib/ffmpeg.ts';

/** Nothing larger is taken for a picture, whoever sends it. */
export const MAX_PICTURE_BYTES = 64 * 1024 * 1024;

export interface PictureSettings {
  readonly jpeg_quality: number;
  readonly max_width: number | null;
}

export interface JpegPicture {
  readonly picture: { readonly jpeg: Uint8Array };
  readonly width: number;
  readonly height: number;
}

/** The picture as a JPEG that is no wider than wished. Throws `stream_codec`; `name` says which picture it was. */
export async function asJpeg(bytes: Uint8Array, name: string, settings: PictureSettings, signal: AbortSignal): Promise<JpegPicture> {
  const { jpeg_quality, max_width } = settings;
  const size = measure(bytes);
  if (size?.type === 'jpg' && (max_width === null || size.width <= max_width)) return { picture: { jpeg: bytes }, width: size.width, height: size.height };
  const jpeg = size && await toJpeg(bytes, { jpegQuality: jpeg_quality, maxWidth: max_width }, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new LookoutError('stream_codec', `${name} cannot be decoded: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
  const made = jpeg && measure(jpeg);
  if (!made) throw new LookoutError('stream_codec', `${name} is neither a JPEG nor a PNG picture`);
  return { picture: { jpeg }, width: made.width, height: made.height };
}

const END_OF_IMAGE = Buffer.from([0xff, 0xd9]);
/** Some cameras write facts of their own after a picture's end. */
const LONGEST_TAIL = 4096;

/** A JPEG that breaks off: within its compressed data the end marker does not occur. */
export function isTorn(bytes: Uint8Array): boolean {
  return measure(bytes)?.type === 'jpg' && !Buffer.from(bytes.subarray(-LONGEST_TAIL)).includes(END_OF_IMAGE);
}

/** null: neither a JPEG nor a PNG, or torn at the beginning. */
export function measure(bytes: Uint8Array): { readonly type: 'jpg' | 'png'; readonly width: number; readonly height: number } | null {
  try {
    const { type, width, height } = imageSize(bytes);
    return (type === 'jpg' || type === 'png') && width > 0 && height > 0 ? { type, width, height } : null;
  } catch {
    // Its only way to say that it cannot read them.
    return null;
  }
}
