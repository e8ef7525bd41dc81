/** Real file systems of a few megabytes, for tests that are skipped where nothing can be mounted. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
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

export interface HangingDisk extends SmallDisk {
  /** From now on whoever writes there waits. */
  freeze(): void;
  /** Nothing where it is not frozen; before it is unmounted it is thawed. */
  thaw(): void;
}

export const canMount = ((): boolean => {
  try {
    mountSmallDisk(1).unmount();
    return true;
  } catch {
    return false;
  }
})();

export const canFreeze = ((): boolean => {
  try {
    const disk = mountHangingDisk(4);
    disk.freeze();
    disk.thaw();
    disk.unmount();
    return true;
  } catch {
    return false;
  }
})();

/** A file system in a file, since what lies in memory alone cannot be frozen. Inodes of 128 bytes know times by the second. */
export function mountHangingDisk(megabytes: number, inodeBytes = 256): HangingDisk {
  const image = mkdtempSync(join(tmpdir(), 'lookout-image-'));
  const remove = (): void => { rmSync(image, { recursive: true, force: true }); };
  const run = (program: string, ...words: readonly string[]): void => { execFileSync(program, words, { stdio: 'ignore' }); };
  try {
    const file = join(image, 'ext4');
    writeFileSync(file, '');
    truncateSync(file, megabytes * 2 ** 20);
    run('mkfs.ext4', '-q', '-I', String(inodeBytes), file);
    const disk = mountAt((folder) => { run('mount', '-o', 'loop', file, folder); });
    let isFrozen = false;
    const thaw = (): void => {
      if (isFrozen) run('fsfreeze', '-u', disk.folder);
      isFrozen = false;
    };
    return {
      ...disk, thaw,
      freeze() {
        run('fsfreeze', '-f', disk.folder);
        isFrozen = true;
      },
      unmount() {
        thaw();
        disk.unmount();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** `inodes`: how many files it takes. */
export function mountSmallDisk(megabytes: number, inodes = 10_000): SmallDisk {
  return mountAt((folder) => { execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,nr_inodes=${inodes}`, 'lookout-test', folder], { stdio: 'ignore' }); });
}

function mountAt(mount: (folder: string) => void): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'lookout-disk-'));
  try {
    mount(folder);
  } catch (error) {
    rmdirSync(folder);
    throw error;
  }
  const remount = (how: 'ro' | 'rw'): boolean => spawnSync('mount', ['-o', `remount,${how}`, folder]).status === 0;
  return {
    folder,
    readOnly: () => until(() => remount('ro'), 30_000, () => `${folder} cannot be made read-only`),
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
