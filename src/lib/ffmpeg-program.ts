/** Which ffmpeg is used, and whether it is new enough. */

/** The one that LOOKOUT_FFMPEG names, or that of the PATH. */
export function ffmpegProgram(): string {
  return process.env['LOOKOUT_FFMPEG'] || 'ffmpeg';
}

/** It brought `-fps_mode`. */
export const OLDEST_FFMPEG = '5.1';

/** Told the first line of `ffmpeg -version`. Builds of a revision have no number, and are trusted. */
export function isTooOld(versionLine: string): boolean {
  const [, major, minor] = /^ffmpeg version n?(\d+)\.(\d+)/.exec(versionLine) ?? [];
  return major !== undefined && (Number(major) < 5 || (Number(major) === 5 && Number(minor) < 1));
}
