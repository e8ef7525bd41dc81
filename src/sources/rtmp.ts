/** Video that an RTMP server sends, plain or over TLS. */
import type { PictureSettings } from './pictures/jpeg.ts';
import type { Source } from '../types.ts';
import { captureFrames } from './ffmpeg/capture.ts';

export const summary = 'video of RTMP servers, plain or over TLS';
export const schemes = ['rtmp', 'rtmps'];

export function create({ config }: { readonly config: PictureSettings }): Source {
  return {
    frames: (stream, folder, signal) => captureFrames({ stream, settings: config, folder, realTime: false, format: 'flv' }, signal),
    close: () => Promise.resolve(),
  };
}
