/** Runs a command under strace, which can kill it, or make a call fail, at the n-th call of a kind. */
import { spawnSync } from 'node:child_process';

export const hasStrace = spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0;

/** The n-th call of a kind, from 1. */
export interface Call {
  readonly kind: string;
  readonly n: number;
}

/** Calls are counted for each thread; with one thread for all file calls of Node, the n-th is the same in every run. */
export const ONE_FILE_THREAD = { UV_THREADPOOL_SIZE: '1' };

/**
 * The words before a command whose calls go into a log, with the paths of their files. strace ends as the command does;
 * calls of other kinds do not stop the command.
 */
export function traced(kinds: readonly string[], log: string): readonly string[] {
  return ['strace', '-f', '--seccomp-bpf', '-qq', '-y', '-e', 'signal=none', '-o', log, '-e', `trace=${kinds.join(',')}`];
}

/** The words before a command that is killed just before a call is made. */
export function killedAt({ kind, n }: Call): readonly string[] {
  return [...traced([kind], '/dev/null'), '-e', `inject=${kind}:signal=KILL:when=${n}`];
}

/** The words before a command in which calls of a kind fail: the n-th, or `from..to`; where a path is given, of those on it. */
export function failing(kind: string, error: string, when: number | string, path?: string): readonly string[] {
  return [...traced([kind], '/dev/null'), '-e', `inject=${kind}:error=${error}:when=${when}`, ...(path === undefined ? [] : ['-P', path])];
}
