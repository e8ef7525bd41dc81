/** A picture from what one key frame holds. */
import { openDecoder, type Codec } from './decoder.ts';
import { isWhole } from './frame.ts';
import { encodeStill, type JpegSettings, type Still } from './jpeg.ts';
import type { Mark } from './mark.ts';

/**
 * With a decoder of its own, freed afterwards: in one that is kept, another camera's parameter sets could meet this one's
 * pictures. `bytes`: parameter sets and one unit (Annex B), or a JPEG. null: they yield no picture, or not a whole one.
 * `tolerant`: what can be decoded but in part is a picture too. Throws `stream_codec` for one that is too large, `bad_frame` for one that cannot be made a JPEG.
 */
export async function decodeStill(codec: Codec, bytes: Buffer, settings: JpegSettings, mark: Mark, tolerant = false): Promise<Still | null> {
  if (bytes.length === 0) return null;
  const decoder = await openDecoder(codec, tolerant ? {} : { err_detect: 'explode' }, mark);
  try {
    if (!await decoder.send(bytes, 0n)) return null;
    // No more comes: so it shows at once, however many pictures the camera sends out of order.
    await decoder.end();
    const frame = await decoder.receive();
    if (frame === null || frame === 'broken') return null;
    try {
      return (tolerant ? frame.width > 0 : isWhole(frame)) ? await encodeStill(frame, settings, mark) : null;
    } finally {
      frame.free();
    }
  } finally {
    decoder.free();
  }
}
