import { execa } from 'execa';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock as plainLock } from 'proper-lockfile';
import { describe, expect, it, vi } from 'vitest';
import { lockFolderOrFile } from '../../src/lib/lock.ts';
import { canFreeze, canMount, mountHangingDisk, mountSmallDisk } from '../helpers/small-disk.ts';
import { useLockBench } from './lock-bench.ts';

const never = new AbortController().signal;
const fixture = (name: string): string => new URL(`../fixtures/lock/${name}`, import.meta.url).pathname;

const bench = useLockBench();

/** A process that holds the lock, once it does. */
async function holder(ms = 60_000): Promise<{ end(): Promise<void>; kill(): Promise<void> }> {
  const child = spawn(process.execPath, [fixture('hold-lock.mjs'), bench.compiled.folder, bench.path, String(ms)], { stdio: ['ignore', 'pipe', 'inherit'] });
  bench.children.push(child);
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  const end = async (): Promise<void> => { await ended; };
  return { end, kill: () => (child.kill('SIGKILL'), end()) };
}

describe('a lock', () => {
  it('comes and goes without a trace', async () => {
    const lock = await lockFolderOrFile(bench.path, { waitMs: 0 }, never);
    expect(await readdir(bench.folder)).toEqual(['thing.lock']);
    expect(lock.compromised).toBe(false);
    await lock.release();
    expect(await readdir(bench.folder)).toEqual([]);
  });

  it('is refused to a second one in the same process, naming the owner', async () => {
    const lock = await lockFolderOrFile(bench.path, { waitMs: 0 }, never);
    await expect(lockFolderOrFile(bench.path, { waitMs: 50 }, never)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${process.pid}`) as string,
    });
    await lock.release();
    await (await lockFolderOrFile(bench.path, { waitMs: 0 }, never)).release();
  });

  it('is waited for while another process has it', async () => {
    const child = await holder(300);
    await expect(lockFolderOrFile(bench.path, { waitMs: 0 }, never)).rejects.toMatchObject({ code: 'locked' });
    await (await lockFolderOrFile(bench.path, { waitMs: 5_000 }, never)).release();
    await child.end();
  });

  it('is taken over within a second from an owner that was killed', async () => {
    const child = await holder();
    await child.kill();
    expect(await readdir(bench.folder)).toEqual(['thing.lock']);
    const since = Date.now();
    const lock = await lockFolderOrFile(bench.path, { waitMs: 5_000 }, never);
    expect(Date.now() - since).toBeLessThan(1_000);
    await lock.release();
    expect(await readdir(bench.folder)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('is taken at once when its owner was killed while taking it', async () => {
    await mkdir(`${bench.path}.lock`, 0o1777);
    const began = performance.now();
    await (await lockFolderOrFile(bench.path, { waitMs: 0 }, never)).release();
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(await readdir(bench.folder)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('is taken over when another process has got the pid of the owner', async () => {
    const lock = await lockFolderOrFile(bench.path, { waitMs: 0 }, never);
    const [name = ''] = await readdir(`${bench.path}.lock`);
    await lock.release();
    await mkdir(`${bench.path}.lock`);
    await writeFile(join(`${bench.path}.lock`, name.replace(/start-\d+/, 'start-1')), '');
    await (await lockFolderOrFile(bench.path, { waitMs: 0 }, never)).release();
  });

  describe('of an owner who cannot be asked', () => {
    const brief = { waitMs: 0, staleMs: 500 };
    const strange = async (times: Date): Promise<void> => {
      await mkdir(`${bench.path}.lock`);
      await writeFile(join(`${bench.path}.lock`, 'pid-1.start-1.realm-0123456789ab.00000000'), '');
      await utimes(`${bench.path}.lock`, times, times);
    };

    it('is respected while it gives signs of life', async () => {
      await strange(new Date());
      const living = setInterval(() => void utimes(`${bench.path}.lock`, new Date(), new Date()), 50);
      const began = performance.now();
      await expect(lockFolderOrFile(bench.path, brief, never).finally(() => { clearInterval(living); })).rejects.toMatchObject({ code: 'locked' });
      expect(performance.now() - began).toBeGreaterThan(500);
    });

    it('is taken over at once when the last one is long ago', async () => {
      await strange(new Date(Date.now() - 11_000));
      const began = performance.now();
      await (await lockFolderOrFile(bench.path, { waitMs: 0 }, never)).release();
      expect(performance.now() - began).toBeLessThan(5000);
    });

    it('is taken over when there is none for long enough, though the clock may say that the last one is yet to come', async () => {
      await strange(new Date(Date.now() + 3_600_000));
      const began = performance.now();
      await (await lockFolderOrFile(bench.path, brief, never)).release();
      expect(performance.now() - began).toBeGreaterThan(500);
      expect(await readdir(bench.folder)).toEqual([]);
    });

    it('is taken over likewise from a program that leaves no name', async () => {
      await mkdir(`${bench.path}.lock`);
      await (await lockFolderOrFile(bench.path, brief, never)).release();
      expect(await readdir(bench.folder)).toEqual([]);
    });
  });

  it('whose release failed is not held against the same process', async () => {
    const lock = await lockFolderOrFile(bench.path, { waitMs: 0 }, never);
    const [name = ''] = await readdir(`${bench.path}.lock`);
    // In the way of the rename by which a lock goes.
    const obstacle = `${bench.path}.lock.${name}`;
    await mkdir(obstacle);
    await writeFile(join(obstacle, 'full'), '');
    await lock.release().catch(() => undefined);
    expect(await readdir(`${bench.path}.lock`)).toEqual([name]);
    await (await lockFolderOrFile(bench.path, { waitMs: 0 }, never)).release();
    await rm(obstacle, { recursive: true });
    expect(await readdir(bench.folder)).toEqual([]);
  });

  it('excludes programs that use proper-lockfile as it comes, and the other way round', async () => {
    const release = await plainLock(bench.path, { realpath: false, stale: 2_000 });
    await expect(lockFolderOrFile(bench.path, { waitMs: 50, staleMs: 2_000 }, never)).rejects.toMatchObject({ code: 'locked' });
    await release();
    const lock = await lockFolderOrFile(bench.path, { waitMs: 0 }, never);
    await expect(plainLock(bench.path, { realpath: false })).rejects.toMatchObject({ code: 'ELOCKED' });
    await lock.release();
  });

  it('lets one of two processes at a time do its work', async () => {
    await writeFile(bench.path, '0');
    const count = () => execa(process.execPath, [fixture('count-up.mjs'), bench.compiled.folder, bench.path, '60']);
    await Promise.all([count(), count()]);
    expect(await readFile(bench.path, 'utf8')).toBe('120');
    expect(await readdir(bench.folder)).toEqual(['thing']);
  });

  it('lets one of many who see a dead owner take over, and the rest wait', async () => {
    for (let round = 0; round < 5; round += 1) {
      const child = await holder();
      await child.kill();
      let inside = 0;
      await Promise.all(Array.from({ length: 8 }, async () => {
        const lock = await lockFolderOrFile(bench.path, { waitMs: 10_000 }, never);
        inside += 1;
        expect(inside).toBe(1);
        await new Promise(setImmediate);
        inside -= 1;
        await lock.release();
      }));
    }
  });

  it('stops waiting when the signal aborts', async () => {
    const lock = await lockFolderOrFile(bench.path, { waitMs: 0 }, never);
    const abort = new AbortController();
    const waiting = lockFolderOrFile(bench.path, { waitMs: 60_000 }, abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await lock.release();
  });

  it('that was taken away says so instead of throwing', async () => {
    let reason: Error | undefined;
    const lock = await lockFolderOrFile(bench.path, { waitMs: 0, staleMs: 2_000, onCompromised: (error) => { reason = error; } }, never);
    await rm(`${bench.path}.lock`, { recursive: true });
    await vi.waitUntil(() => lock.compromised, { timeout: 10_000, interval: 50 });
    expect(reason).toBeInstanceOf(Error);
    await lock.release();
  });

  it.each([
    ['removed', 'lock_lost', (folder: string) => rm(folder, { recursive: true })],
    ['taken over by a process of another machine', 'locked', async (folder: string) => {
      await rm(folder, { recursive: true });
      await mkdir(folder);
      await writeFile(join(folder, 'pid-1.start-1.realm-elsewhere.00000000'), '');
    }],
  ])('that was %s is known to be lost as soon as somebody asks, and tells it once', async (_what, code, harm) => {
    const reasons: string[] = [];
    const lock = await lockFolderOrFile(bench.path, { waitMs: 0, onCompromised: ({ message }) => reasons.push(message) }, never);
    await lock.expectHeld();
    await harm(`${bench.path}.lock`);
    for (let time = 0; time < 2; time += 1) await expect(lock.expectHeld()).rejects.toMatchObject({ code });
    expect(reasons).toEqual([code === 'locked' ? `another process has taken ${bench.path}.lock` : `${bench.path}.lock was removed while this process held it`]);
    await lock.release();
    expect(lock.compromised).toBe(true);
  });

  it.skipIf(!canMount).each([
    ['goes on when that is over', false],
    ['is lost to who takes it over meanwhile', true],
  ])('on a disk that takes nothing is held, however long that lasts, and %s (needs leave to mount)', async (_what, isTaken) => {
    const disk = mountSmallDisk(1);
    try {
      const reasons: string[] = [];
      const path = join(disk.folder, 'thing');
      const lock = await lockFolderOrFile(path, { waitMs: 0, staleMs: 2_000, onCompromised: ({ code }) => reasons.push(code) }, never);
      await disk.readOnly();
      await sleep(5_000);
      await lock.expectHeld();
      expect(reasons).toEqual([]);
      disk.writable();
      if (isTaken) {
        const [own = ''] = await readdir(`${path}.lock`);
        await rename(join(`${path}.lock`, own), join(`${path}.lock`, 'pid-1.start-1.realm-elsewhere.00000000'));
        await expect(lock.expectHeld()).rejects.toMatchObject({ code: 'locked' });
      } else {
        await vi.waitUntil(async () => Date.now() - (await stat(`${path}.lock`)).mtimeMs < 1_000, { timeout: 10_000, interval: 50 });
        await lock.expectHeld();
      }
      expect(reasons).toEqual(isTaken ? ['locked'] : []);
      await lock.release();
    } finally {
      disk.unmount();
    }
  });

  it.skipIf(!canFreeze)('on a disk that knows times by the second is held (needs leave to mount, and ext4)', async () => {
    const disk = mountHangingDisk(4, 128);
    try {
      const reasons: string[] = [];
      const lock = await lockFolderOrFile(join(disk.folder, 'thing'), { waitMs: 0, staleMs: 2_000, onCompromised: ({ message }) => reasons.push(message) }, never);
      expect((await stat(join(disk.folder, 'thing.lock'))).mtimeMs % 1000).toBe(0);
      await sleep(3_500);
      expect(reasons).toEqual([]);
      await lock.release();
    } finally {
      disk.unmount();
    }
  });

  it('sweeps what a process left that was killed while it took a lock', async () => {
    const child = await holder();
    const [name = ''] = await readdir(`${bench.path}.lock`);
    await child.kill();
    await rm(`${bench.path}.lock`, { recursive: true });
    await mkdir(join(bench.folder, `other.lock.${name}`));
    await (await lockFolderOrFile(join(bench.folder, 'other'), { waitMs: 0 }, never)).release();
    expect(await readdir(bench.folder)).toEqual([]);
  });
});
