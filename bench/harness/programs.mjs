/** Starts programs in processes of their own that cannot outlive the benchmark, and stops them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { leashed } from '../../dist/lib/leash.js';
import { packageRoot } from '../../dist/lib/package.js';

/** Seconds until a program that was asked to end is killed. */
const PATIENCE = 20;

export const programFile = (name) => join(packageRoot, 'bench/programs', `${name}.mjs`);

export function start(file, args, { env = {}, stdio = ['pipe', 'pipe', 'inherit'], cwd } = {}) {
  const words = leashed(file, args);
  return spawn(words.file, words.args, { env: { ...process.env, ...env }, stdio, cwd });
}

/** One of the programs beside this folder. */
export const startOwn = (name, args, options) => start(process.execPath, [programFile(name), ...args], options);

/** The next `count` lines of its output. Throws when it ends before. */
export async function readLines(child, count) {
  const lines = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === count) return lines;
  }
  throw new Error(`${child.spawnargs.slice(1, 4).join(' ')} ended early: ${lines.join(' / ')}`);
}

/** Ends its input, or sends the signal when it takes none; resolves when it is gone. */
export async function stop(child, signal = 'SIGKILL') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  if (child.stdin) child.stdin.end();
  else child.kill(signal);
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE * 1000);
  await exit;
  clearTimeout(patience);
}
