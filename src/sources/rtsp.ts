/** Cameras that speak RTSP, plain or over TLS. */
import type { Source } from '../types.ts';
import { captureFrames } from './ffmpeg/capture.ts';
import type { FfmpegSettings } from './ffmpeg/source.ts';
import { knock } from './peer/knock.ts';
import { wayTo } from './rtsp/way.ts';

export const summary = 'cameras that speak RTSP, plain or over TLS';
export const schemes = ['rtsp', 'rtsps'];

export function create({ config }: { readonly config: FfmpegSettings }): Source {
  return {
    frames: (stream, folder, signal) => captureFrames({
      stream, settings: config, folder, realTime: false, open: wayTo(stream, stream.trusted ? null : config),
    }, signal),
    knock: ({ url }, signal) => knock(url, signal),
    close: () => Promise.resolve(),
  };
}
