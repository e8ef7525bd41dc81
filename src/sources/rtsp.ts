/** Cameras that speak RTSP, plain or over TLS. */
import type { Config, Source } from '../types.ts';
import { captureFrames } from './ffmpeg/capture.ts';
import type { PictureSettings } from './pictures/jpeg.ts';
import { openRelay } from './rtsp/relay.ts';

export const summary = 'cameras that speak RTSP, plain or over TLS';
export const schemes = ['rtsp', 'rtsps'];

export function create({ config }: { readonly config: PictureSettings & Pick<Config, 'host' | 'port' | 'allow_hosts'> }): Source {
  return {
    frames: (stream, folder, signal) => captureFrames({
      stream, settings: config, folder, realTime: false, open: (life) => openRelay(stream, stream.trusted ? null : config, life),
    }, signal),
    close: () => Promise.resolve(),
  };
}
