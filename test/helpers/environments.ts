/** Environments that the tests of one run share: the first that needs one builds it, which takes as long as many tests; the others find it. */
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder of the run's environments. */
    readonly environments: string;
  }
}

/** Before and after all tests. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-environments-'));
  project.provide('environments', folder);
  return () => rm(folder, { recursive: true, force: true });
}

/** Before an app is started with this data folder. */
export async function shareEnvironments(data_dir: string): Promise<void> {
  await mkdir(data_dir, { recursive: true });
  await symlink(inject('environments'), join(data_dir, 'runtimes'));
}
