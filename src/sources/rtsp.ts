/** Cameras that speak RTSP, plain or over TLS. */
import type { Source, Config } from '../types.ts';
import { captureFrames } from './ffmpeg/capture.ts';

export const summary = 'cameras that speak RTSP, plain or over TLS';
export const schemes = ['rtsp', 'rtsps'];

export function create({ config }: { readonly config: Config }): Source {
  return {
    frames: (stream, folder, signal) => captureFrames({ stream, settings: config, folder, realTime: false }, signal),
    close: () => Promise.resolve(),
  };
}
