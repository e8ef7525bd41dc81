/** A source that is ffmpeg's alone: it opens the address and stays connected. */
import type { Source } from '../../types.ts';
import { knock } from '../peer/knock.ts';
import type { PictureSettings } from '../pictures/jpeg.ts';
import { captureFrames } from './capture.ts';

/** `format`: what comes, as ffmpeg calls it; none: ffmpeg finds out. */
export function ffmpegSource(settings: PictureSettings, format?: string): Source {
  return {
    frames: (stream, folder, signal) => captureFrames({ stream, settings, folder, realTime: false, ...(format !== undefined && { format }) }, signal),
    knock: ({ url }, signal) => knock(url, signal),
    close: () => Promise.resolve(),
  };
}
