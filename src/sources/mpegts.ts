/** MPEG transport streams that come over SRT, or as UDP packets. */
import type { Source } from '../types.ts';
import { ffmpegSource } from './ffmpeg/source.ts';
import type { PictureSettings } from './pictures/jpeg.ts';

export const summary = 'MPEG transport streams over SRT or UDP';
export const schemes = ['srt', 'udp'];

export function create({ config }: { readonly config: PictureSettings }): Source {
  return ffmpegSource(config, 'mpegts');
}
