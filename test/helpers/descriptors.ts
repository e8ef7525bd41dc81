/** Files that this process may have open, for a while: like a machine that has none left. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

const prlimit = (...words: readonly string[]): string => execFileSync('prlimit', ['--pid', String(process.pid), ...words], { encoding: 'utf8' }).trim();

/** So many more than are open now. */
export async function withFewDescriptors<Result>(free: number, work: () => Promise<Result>): Promise<Result> {
  const before = prlimit('--nofile', '-o', 'SOFT', '--noheadings');
  // Those below the highest are taken as well.
  const taken = Array.from({ length: 64 + free }, () => openSync('/dev/null', 'r'));
  try {
    prlimit(`--nofile=${Math.max(...taken) + 1}:`);
    for (const file of taken.splice(0, free)) closeSync(file);
    return await work();
  } finally {
    for (const file of taken) closeSync(file);
    prlimit(`--nofile=${before}:`);
  }
}
