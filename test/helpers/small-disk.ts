/** Real file systems of a few megabytes, for tests that are skipped where nothing can be mounted. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './app.ts';

export interface SmallDisk {
  readonly folder: string;
  /** Waits until nobody has a file open for writing. */
  readOnly(): Promise<void>;
  writable(): void;
  unmount(): void;
}

export const canMount = ((): boolean => {
  try {
    mountSmallDisk(1).unmount();
    return true;
  } catch {
    return false;
  }
})();

/** `inodes`: how many files it takes. */
export function mountSmallDisk(megabytes: number, inodes = 10_000): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'lookout-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,nr_inodes=${inodes}`, 'lookout-test', folder], { stdio: 'ignore' });
  } catch (error) {
    rmdirSync(folder);
    throw error;
  }
  const remount = (how: 'ro' | 'rw'): boolean => spawnSync('mount', ['-o', `remount,${how}`, folder]).status === 0;
  return {
    folder,
    readOnly: () => until(() => remount('ro'), 10_000, () => `${folder} cannot be made read-only`),
    writable() {
      if (!remount('rw')) throw new Error(`${folder} cannot be made writable`);
    },
    unmount() {
      // At once for whoever looks, whatever still has a file open there.
      execFileSync('umount', ['-l', folder]);
      rmdirSync(folder);
    },
  };
}
