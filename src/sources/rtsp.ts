/** Cameras that speak RTSP, plain or over TLS. */
import type { Source } from '../types.ts';
import { ffmpegSource } from './ffmpeg/source.ts';
import type { PictureSettings } from './pictures/jpeg.ts';

export const summary = 'cameras that speak RTSP, plain or over TLS';
export const schemes = ['rtsp', 'rtsps'];

export function create({ config }: { readonly config: PictureSettings }): Source {
  return ffmpegSource(config);
}
