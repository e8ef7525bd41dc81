/** Video that an RTMP server sends, plain or over TLS. */
import type { Source } from '../types.ts';
import { ffmpegSource, type FfmpegSettings } from './ffmpeg/source.ts';

export const summary = 'video of RTMP servers, plain or over TLS';
export const schemes = ['rtmp', 'rtmps'];

export function create({ config }: { readonly config: FfmpegSettings }): Source {
  return ffmpegSource(config, 'flv');
}
