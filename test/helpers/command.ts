/**
 * A command in this process, which has loaded already what a process of its own loads for a second: for tests of what it
 * prints, answers and changes. Those of signals, streams and ends run the built program: `runLookout`.
 */
import { vi } from 'vitest';
import { commandLine } from '../../src/command-line.ts';
import { LookoutError } from '../../src/errors.ts';
import { withoutSettings } from './server-process.ts';

export interface Ended {
  readonly code: number;
  /** What it wrote to its standard output. */
  readonly printed: string;
  /** What it wrote to both outputs. */
  readonly output: string;
}

export interface CommandOptions {
  /** Its working folder. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The signal that has come before it begins. */
  readonly stoppedBy?: NodeJS.Signals | null;
}

/** One at a time: its working folder, environment, umask and outputs are those of this process. */
export async function command(words: readonly string[], { folder, env = {}, stoppedBy = null }: CommandOptions): Promise<Ended> {
  const before = { cwd: process.cwd(), env: { ...process.env }, umask: process.umask(0o022) };
  process.umask(before.umask);
  setEnvironment({ ...withoutSettings(before.env), ...env });
  process.chdir(folder);
  let printed = '';
  let output = '';
  const take = (stream: NodeJS.WriteStream) => vi.spyOn(stream, 'write').mockImplementation((text) => {
    output += String(text);
    if (stream === process.stdout) printed += String(text);
    return true;
  });
  const taken = [process.stdout, process.stderr].map(take);
  try {
    const signal = stoppedBy === null ? new AbortController().signal : AbortSignal.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
    const code = await commandLine(words, { signal, by: () => stoppedBy });
    return { code, printed, output };
  } finally {
    for (const spy of taken) spy.mockRestore();
    process.chdir(before.cwd);
    process.umask(before.umask);
    setEnvironment(before.env);
  }
}

function setEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, env);
}
