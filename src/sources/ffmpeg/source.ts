/** A source that is ffmpeg's alone: it opens the address and stays connected. */
import { boundsOf, type Reachable } from '../../lib/reach.ts';
import type { Source } from '../../types.ts';
import { openDirectly } from '../network/direct.ts';
import { knock } from '../peer/knock.ts';
import type { PictureSettings } from '../pictures/jpeg.ts';
import { captureFrames } from './capture.ts';

export type FfmpegSettings = PictureSettings & Reachable;

/** `format`: what comes, as ffmpeg calls it. */
export function ffmpegSource(settings: FfmpegSettings, format: string): Source {
  return {
    frames: (stream, folder, signal) => captureFrames({ stream, settings, folder, realTime: false, format, open: openDirectly(stream, boundsOf(settings)) }, signal),
    knock: ({ url }, signal) => knock(url, signal),
    close: () => Promise.resolve(),
  };
}
