/** Which ffmpeg is used, and whether it is new enough. */
import { resolve } from 'node:path';

/** The one that LOOKOUT_FFMPEG names, or that of the PATH. A relative path is one of this process: captures run elsewhere. */
export function ffmpegProgram(): string {
  const named = process.env['LOOKOUT_FFMPEG'] || 'ffmpeg';
  return named.includes('/') ? resolve(named) : named;
}

/** It brought `-fps_mode`. */
export const OLDEST_FFMPEG = '5.1';

/** Told the first line of `ffmpeg -version`. Builds of a revision have no number, and are trusted. */
export function isTooOld(versionLine: string): boolean {
  const [, major, minor] = /^ffmpeg version n?(\d+)\.(\d+)/.exec(versionLine) ?? [];
  return major !== undefined && (Number(major) < 5 || (Number(major) === 5 && Number(minor) < 1));
}
