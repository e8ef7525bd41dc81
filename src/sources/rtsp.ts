/** Cameras that speak RTSP, plain or over TLS. */
import type { Source } from '../types.ts';
import { captureFrames } from './ffmpeg/capture.ts';
import type { FfmpegSettings } from './ffmpeg/source.ts';
import { knock } from './peer/knock.ts';
import { openRelay } from './rtsp/relay.ts';

export const summary = 'cameras that speak RTSP, plain or over TLS';
export const schemes = ['rtsp', 'rtsps'];

export function create({ config }: { readonly config: FfmpegSettings }): Source {
  return {
    frames: (stream, folder, signal) => captureFrames({
      stream, settings: config, folder, realTime: false, open: (life) => openRelay(stream, stream.trusted ? null : config, life),
    }, signal),
    knock: ({ url }, signal) => knock(url, signal),
    close: () => Promise.resolve(),
  };
}
