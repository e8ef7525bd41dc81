/** What is uploaded, as a JPEG: whichever common format it comes in. */
import { toJpeg } from '../lib/ffmpeg.ts';
import { measure, MOST_PIXELS } from '../lib/jpeg.ts';

interface Kind {
  readonly type: string;
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly torn: boolean;
}

/** JPEGs as they came. null: it is no picture, or not all of one. */
export async function jpegOf(bytes: Uint8Array, jpegQuality: number, signal: AbortSignal): Promise<Uint8Array | null> {
  const kind = await kindOf(bytes);
  if (!kind || kind.torn || kind.width * kind.height > MOST_PIXELS) return null;
  if (kind.type === 'jpg') return bytes;
  try {
    const jpeg = await toJpeg(bytes, { jpegQuality, maxWidth: null, type: kind.type, orientation: kind.orientation }, signal);
    return measure(jpeg) && jpeg;
  } catch {
    signal.throwIfAborted();
    // Whatever ffmpeg says of it, its sender sees that it cannot be read.
    return null;
  }
}

async function kindOf(bytes: Uint8Array): Promise<Kind | null> {
  const known = measure(bytes);
  if (known) return known;
  // Cameras send JPEGs: the readers of all other formats are loaded with the first that is none.
  const { imageSize } = await import('image-size');
  try {
    const { type = '', width, height } = imageSize(bytes);
    return width > 0 && height > 0 ? { type, width, height, orientation: 1, torn: false } : null;
  } catch {
    // Its only way to say that it cannot read them.
    return null;
  }
}
