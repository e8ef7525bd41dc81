/** What tests of the lock need: the sources as children run them, a path of their own to lock, and children that end with the test. */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { compileSources, type Compiled } from '../helpers/compiled.ts';

export interface LockBench {
  readonly compiled: Compiled;
  readonly folder: string;
  /** In the folder; nothing is there yet. */
  readonly path: string;
  readonly children: ChildProcess[];
}

/** Its fields are those of the test that runs. */
export function useLockBench(): LockBench {
  const bench = { compiled: { folder: '', remove: () => Promise.resolve() } as Compiled, folder: '', path: '', children: [] as ChildProcess[] };
  beforeAll(async () => {
    bench.compiled = await compileSources();
  });
  afterAll(() => bench.compiled.remove());
  beforeEach(async () => {
    bench.folder = await mkdtemp(join(tmpdir(), 'lookout-lock-'));
    bench.path = join(bench.folder, 'thing');
  });
  afterEach(async () => {
    for (const child of bench.children.splice(0)) child.kill('SIGKILL');
    await rm(bench.folder, { recursive: true, force: true });
  });
  return bench;
}
