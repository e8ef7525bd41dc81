/** Whether an ffmpeg is new enough. */

/** It brought `-fps_mode`. */
export const OLDEST_FFMPEG = '5.1';

/** Told the first line of `ffmpeg -version`. Builds of a revision have no number, and are trusted. */
export function isTooOld(versionLine: string): boolean {
  const [, major, minor] = /^ffmpeg version n?(\d+)\.(\d+)/.exec(versionLine) ?? [];
  return major !== undefined && (Number(major) < 5 || (Number(major) === 5 && Number(minor) < 1));
}
