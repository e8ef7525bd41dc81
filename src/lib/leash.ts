/** Commands that die with this process, also after SIGKILL: every child is started through one of these. */
import { fileURLToPath } from 'node:url';

/** The package's root folder: two up from src/lib and from dist/lib alike. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

const leash = fileURLToPath(new URL('../../runners/leash', import.meta.url));

export interface Leashed {
  readonly file: string;
  readonly args: readonly string[];
}

/** `file args…` as the words of a leashed command, for this process to start itself. */
export function leashed(file: string, args: readonly string[]): Leashed {
  return { file: leash, args: [String(process.pid), file, ...args] };
}

/** The ffmpeg to use: the one that LOOKOUT_FFMPEG names, or that of the PATH. */
export function ffmpegProgram(): string {
  return process.env['LOOKOUT_FFMPEG'] || 'ffmpeg';
}

/** ffmpeg with these arguments, on a leash. */
export function leashedFfmpeg(args: readonly string[]): Leashed {
  return leashed(ffmpegProgram(), args);
}
