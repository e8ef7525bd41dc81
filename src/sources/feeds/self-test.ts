/** Whether this machine can decode in capture hosts: tried once, in a process that may die of it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { forTools } from '../../lib/environment.ts';
import { leashed } from '../../lib/leash.ts';
import { packageRoot } from '../../lib/package.ts';

const PROGRAM = join(packageRoot, 'dist/sources/feeds/host/self-test.js');
const LONGEST_MS = 20_000;

/** A machine may have been too busy for the test. */
const ASK_AGAIN_MS = 600_000;

/** Answers as `whyNotLibav` did, asked when it is wanted first: a yes stands, a no is asked for again after a while. */
export function createSelfTest(test: () => Promise<string | null> = whyNotLibav, nowMs: () => number = () => performance.now()): () => Promise<string | null> {
  let last: { readonly why: Promise<string | null>; readonly atMs: number } | null = null;
  return async () => {
    const known = last ??= { why: test(), atMs: nowMs() };
    const why = await known.why;
    if (why !== null && last === known && nowMs() - known.atMs > ASK_AGAIN_MS) last = null;
    return why;
  };
}

/** null: it can; else why not, in words. */
export async function whyNotLibav(): Promise<string | null> {
  const { file, args } = leashed(process.execPath, [PROGRAM]);
  try {
    await promisify(execFile)(file, [...args], { env: { ...process.env, ...forTools() }, timeout: LONGEST_MS, killSignal: 'SIGKILL' });
    return null;
  } catch (error) {
    const { stderr = '', signal = null, message } = error as { stderr?: string; signal?: string | null; message: string };
    return stderr.trim().split('\n').at(-1) || (signal === null ? message : `its test ended by ${signal}`);
  }
}
