/** The real server as a process of its own, in a folder of its own, for tests that look at it from outside. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { leashed } from '../../src/lib/leash.ts';
import type { Balance } from '../../src/types.ts';
import { until } from './app.ts';
import { descendants, isNode } from './process-tree.ts';

export interface ServerProcess extends Running {
  readonly url: string;
  /** The JSON answer of a path; with a body, of a POST. */
  ask(path: string, body?: object): Promise<unknown>;
  /** Ends it with SIGTERM and waits; resolves with its exit code. */
  stop(): Promise<number | null>;
  /** Ends it with SIGKILL and waits. */
  kill9(): Promise<void>;
}

/** A command that runs and is not waited for. */
export interface Running {
  readonly pid: number;
  /** What it wrote to both outputs so far. */
  readonly output: () => string;
  /** What it wrote to its standard output alone. */
  readonly printed: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves with its exit code, null for a signal, when it has ended however it ended. */
  readonly ended: Promise<number | null>;
}

export interface StartOptions {
  /** Its working folder, with `data`, `frames` and `models` in it; settings come from `data/lookout.yaml` if there is one. */
  readonly folder: string;
  readonly flags?: readonly string[];
  /** Words before the command: those of a program that runs it as its child and ends with it, such as strace. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const START_MS = 30_000;
const SETTLE_MS = 60_000;

/** Starts `lookout serve` on a free port and waits until it listens; throws with its last words when it ends before. */
export async function startServer({ flags = [], ...options }: StartOptions): Promise<ServerProcess> {
  const running = await runLookout(['serve', '--port', '0', ...flags], options);
  const url = await address(running).catch((error: unknown) => {
    running.kill('SIGKILL');
    throw error;
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    running.kill(signal);
    return running.ended;
  };
  return {
    ...running, url,
    async ask(path, body) {
      const response = await fetch(`${url}${path}`, body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
      return response.json();
    },
    stop: () => end('SIGTERM'),
    kill9: async () => { await end('SIGKILL'); },
  };
}

/** Runs the built command line with these words. */
export async function runLookout(words: readonly string[], { folder, under = [], env = {} }: Omit<StartOptions, 'flags'>): Promise<Running> {
  const [program = '', ...rest] = [...under, process.execPath, await builtCli(), ...words];
  // On a leash as every child: a test that is cut short leaves no server behind.
  const { file, args } = leashed(program, rest);
  const child = spawn(file, args, { cwd: folder, env: { ...withoutSettings(process.env), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more: string) => { text += more; });
  child.stdout.on('data', (more: string) => { printed += more; });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  await once(child, 'spawn');
  let pid = child.pid ?? 0;
  if (under.length > 0) {
    await until(() => descendants(child.pid ?? 0).some(isNode) || child.exitCode !== null || child.signalCode !== null, START_MS, () => text);
    pid = descendants(child.pid ?? 0).find(isNode)?.pid ?? pid;
  }
  return {
    pid, ended,
    output: () => text,
    printed: () => printed,
    kill(signal) {
      // Its number may be somebody else's by then.
      if (child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended a moment ago, which is what was wanted.
      }
    },
  };
}

/** Waits until every frame has left the spool, and gives the books. */
export async function settle(server: ServerProcess): Promise<Balance> {
  const books = async (): Promise<Balance> => ((await server.ask('/api/streams')) as { books: Balance }).books;
  await until(async () => (await books()).in_spool === 0, SETTLE_MS, () => server.output().slice(-4000));
  return books();
}

async function address({ output, ended }: Running): Promise<string> {
  const url = (): string | undefined => /^Lookout is at (\S+)$/m.exec(output())?.[1];
  let over = false;
  void ended.then(() => { over = true; });
  await until(() => over || url() !== undefined, START_MS, output);
  const found = url();
  if (found === undefined) throw new Error(`the server ended: ${output()}`);
  return found;
}

/** `npm test` has built it; a test that is run by itself may have to. */
async function builtCli(): Promise<string> {
  const cli = join(root, 'dist', 'cli.js');
  await access(cli).catch(() => promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: root }));
  return cli;
}

/** The settings of whoever runs the tests are not the server's. */
export function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('LOOKOUT_') && name !== 'PORT'));
}
