/** What a decoder says of a frame that it gives. */
import { FRAME_FLAGS, type NativeFrame } from './binding.ts';

/** Nothing of it is missing or made up. */
export function isWhole(frame: NativeFrame): boolean {
  return frame.decodeErrorFlags === 0 && (frame.flags & FRAME_FLAGS.corrupt) === 0 && frame.width > 0 && frame.height > 0;
}
