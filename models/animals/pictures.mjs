/** Reads a picture as RGB bytes of exactly a detector's input size. */
import { basename } from 'node:path';
import { load } from './packages.mjs';

const EDGE = { r: 114, g: 114, b: 114 };

/** Answers `read(frame, placed, input)`, which gives `{pixels}` or, for a picture that cannot be read, `{error}`. Never throws. */
export function pictureReader() {
  const sharp = load('sharp');
  // No picture is read twice.
  sharp.cache(false);
  return async (frame, placed, input) => {
    try {
      // `error`: a truncated picture fails, one that merely bends the rules is read.
      const pixels = await sharp(frame.file, { failOn: 'error' })
        .resize(placed.width, placed.height, { fit: 'fill' })
        .extend({
          left: placed.left,
          top: placed.top,
          right: input.width - placed.left - placed.width,
          bottom: input.height - placed.top - placed.height,
          background: EDGE,
        })
        .toColourspace('srgb')
        .removeAlpha()
        .raw()
        .toBuffer();
      return { pixels };
    } catch (error) {
      return { error: `the picture cannot be read: ${error.message.replaceAll(frame.file, basename(frame.file))}` };
    }
  };
}
