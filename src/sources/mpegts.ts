/** MPEG transport streams that come over SRT, or as UDP packets. */
import type { PictureSettings } from './pictures/jpeg.ts';
import type { Source } from '../types.ts';
import { captureFrames } from './ffmpeg/capture.ts';

export const summary = 'MPEG transport streams over SRT or UDP';
export const schemes = ['srt', 'udp'];

export function create({ config }: { readonly config: PictureSettings }): Source {
  return {
    frames: (stream, folder, signal) => captureFrames({ stream, settings: config, folder, realTime: false, format: 'mpegts' }, signal),
    close: () => Promise.resolve(),
  };
}
