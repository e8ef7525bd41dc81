/** MPEG transport streams that come over SRT, or as UDP packets. */
import type { Source } from '../types.ts';
import { ffmpegSource, type FfmpegSettings } from './ffmpeg/source.ts';

export const summary = 'MPEG transport streams over SRT or UDP';
export const schemes = ['srt', 'udp'];

export function create({ config }: { readonly config: FfmpegSettings }): Source {
  return ffmpegSource(config, 'mpegts');
}
