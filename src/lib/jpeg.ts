/** What the bytes of a picture say of themselves: their size, and whether they are all there. */
import { imageSize } from 'image-size';

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
