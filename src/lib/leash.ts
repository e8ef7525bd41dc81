/** Commands that die with this process, also after SIGKILL: every child is started through one of these. */
import { join } from 'node:path';
import { asUser, modelsAccount } from './account.ts';
import { forTools, type Environment } from './environment.ts';
import { ffmpegProgram } from './ffmpeg-program.ts';
import { packageRoot } from './package.ts';

export interface Leashed {
  readonly file: string;
  readonly args: readonly string[];
}

/** The program that does it: `leash <the pid of whoever starts it> command…`. */
export const leash = join(packageRoot, 'runners/leash');

/** `file args…` as the words of a leashed command, for this process to start itself. */
export function leashed(file: string, args: readonly string[]): Leashed {
  return { file: leash, args: [String(process.pid), file, ...args] };
}

/** The same for what belongs to a model: as the user that models run as. */
export function leashedModel(file: string, args: readonly string[]): Leashed {
  const own = leashed(file, args);
  const account = modelsAccount();
  if (account === null) return own;
  // First that user, then the leash: whom a signal from the kernel is meant for is forgotten by who becomes somebody else.
  const [setpriv = '', ...words] = asUser(account);
  return { file: setpriv, args: [...words, own.file, ...own.args] };
}

/**
 * Variables that a leashed command is given last of all. What a model's manifest sets, such as a PATH or LD_PRELOAD, may not
 * act before the process is the models' user, nor on the programs that keep it on its leash.
 */
export function setLast(variables: Readonly<Record<string, string>>): Environment {
  // Some shells have names that they let nobody set; these few do not keep a model from running.
  return { LOOKOUT_LATER: Object.entries(variables).map(([name, value]) => `command export ${name}=${quoted(value)}`).join('\n') };
}

/** As a shell reads it. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** ffmpeg with these arguments, on a leash, and the whole environment that it is to have. */
export function leashedFfmpeg(args: readonly string[]): Leashed & { readonly env: NodeJS.ProcessEnv } {
  return { ...leashed(ffmpegProgram(), args), env: { ...process.env, ...forTools() } };
}
