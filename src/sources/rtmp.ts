/** Video that an RTMP server sends, plain or over TLS. */
import type { Source } from '../types.ts';
import { ffmpegSource } from './ffmpeg/source.ts';
import type { PictureSettings } from './pictures/jpeg.ts';

export const summary = 'video of RTMP servers, plain or over TLS';
export const schemes = ['rtmp', 'rtmps'];

export function create({ config }: { readonly config: PictureSettings }): Source {
  return ffmpegSource(config, 'flv');
}
