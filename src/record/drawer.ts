/** Draws what was found into pictures: an ffmpeg for each, some at a time. */
import { LookoutError } from '../errors.ts';
import { isThere } from '../lib/files.ts';
import { layOver } from '../lib/ffmpeg.ts';
import type { Detection, FrameFacts } from '../types.ts';
import { drawFindings } from './drawing.ts';

/** JPEG of the JPEG in the file; null: there is no such file. Throws `bad_frame`, `too_many_at_once`, and the signal's reason. */
export type Drawer = (file: string, findings: readonly Detection[], size: Pick<FrameFacts, 'width' | 'height'>, signal: AbortSignal) => Promise<Uint8Array | null>;

/** Each holds a sheet of the picture's size. */
const AT_ONCE = 4;

export function createDrawer(): Drawer {
  let underWay = 0;
  return async (file, findings, { width, height }, signal) => {
    if (underWay >= AT_ONCE) throw new LookoutError('too_many_at_once', `${underWay} pictures are being drawn, and no more may at a time; ask again in a moment.`);
    underWay += 1;
    try {
      if (!(await isThere(file))) return null;
      return await layOver(file, { rgba: drawFindings(findings, { width, height }), width, height }, signal);
    } catch (error) {
      if (signal.aborted || error instanceof LookoutError) throw error;
      throw new LookoutError('bad_frame', `Nothing can be drawn into the picture: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      underWay -= 1;
    }
  };
}
