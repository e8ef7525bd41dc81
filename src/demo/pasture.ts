/** A photograph of sheep, over which the camera pans to and fro: something that a model for animals finds. */
import { join } from 'node:path';
import { packageRoot } from '../lib/package.ts';
import type { Picture } from './scene.ts';

export const PHOTOGRAPH = join(packageRoot, 'media', 'march-pastoral.jpg');

/** There and back. */
const PAN_SECONDS = 40;

/** Filters that make the pictures of the one that ffmpeg reads, in real time. */
export function pastureFilters({ width, height, fps }: Pick<Picture, 'width' | 'height' | 'fps'>): string {
  return [
    // Higher than a picture, so that only a part of it fits, and the sheep in that are large enough to be known.
    `scale=-2:${Math.round(height * 1.2)}`, 'loop=-1:1:0', `setpts=N/(${fps}*TB)`,
    String.raw`crop=${width}:${height}:(iw-ow)*(0.5-0.5*cos(2*PI*t/${PAN_SECONDS})):(ih-oh)/2`,
    'realtime', 'format=yuv420p',
  ].join(',');
}
