/** Commands that die with this process, also after SIGKILL: every child is started through one of these. */
import { fileURLToPath } from 'node:url';

/** The package's root folder: two up from src/lib and from dist/lib alike. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

const leash = fileURLToPath(new URL('../../runners/leash', import.meta.url));

/** ffmpeg on a leash: a program of its own because fluent-ffmpeg takes a path and no words before it. */
export const leashedFfmpeg = fileURLToPath(new URL('../../runners/leashed-ffmpeg', import.meta.url));

/** `file args…` as the words of a leashed command. */
export function leashed(file: string, args: readonly string[]): { readonly file: string; readonly args: readonly string[] } {
  return { file: leash, args: [file, ...args] };
}
