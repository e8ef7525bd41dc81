/** Many who want one lock at the same time: it is one at a time, whatever happens to those who have it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Lock, lockFolderOrFile } from '../../src/lib/lock.ts';
import { free, take } from '../../src/lib/lock-folder.ts';
import { ownName } from '../../src/lib/owner.ts';
import { useLockBench } from './lock-bench.ts';

const never = new AbortController().signal;
const CONTEND = new URL('../fixtures/lock/contend.mjs', import.meta.url).pathname;

const bench = useLockBench();

/** A process with several takers; what it prints, once it has ended. */
function contend(ms: number, takers: number): { readonly child: ChildProcess; readonly lines: Promise<readonly string[]> } {
  const child = spawn(process.execPath, [CONTEND, bench.compiled.folder, bench.path, String(ms), String(takers)], { stdio: ['ignore', 'pipe', 'inherit'] });
  bench.children.push(child);
  let text = '';
  child.stdout.on('data', (part: Buffer) => { text += part.toString(); });
  return { child, lines: once(child, 'close').then(() => text.split('\n').filter((line) => line !== '')) };
}

const isTurns = (line: string): boolean => line.startsWith('{');

describe('a lock that many want', () => {
  it('is had by one of forty in a process at a time, and by all in the end', async () => {
    let inside = 0;
    let overlaps = 0;
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, async () => {
      for (let round = 0; round < 5; round += 1) {
        const lock = await lockFolderOrFile(bench.path, { waitMs: 30_000 }, never);
        inside += 1;
        if (inside > 1) overlaps += 1;
        await sleep(2);
        inside -= 1;
        await lock.release();
      }
    }));
    expect(overlaps).toBe(0);
    expect(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []))).toEqual([]);
    expect(await readdir(bench.folder)).toEqual([]);
  });

  it('is had in the order in which they came within a process', async () => {
    const order: number[] = [];
    await Promise.all(Array.from({ length: 10 }, async (_, index) => {
      const lock = await lockFolderOrFile(bench.path, { waitMs: 30_000 }, never);
      order.push(index);
      await sleep(10 - index);
      await lock.release();
    }));
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('comes to those behind one that gives up waiting', async () => {
    const lock = await lockFolderOrFile(bench.path, { waitMs: 0 }, never);
    const abort = new AbortController();
    const wait = (waitMs: number, signal = never): Promise<Lock> => lockFolderOrFile(bench.path, { waitMs }, signal);
    // Whichever gives up first: both are looked at from the start.
    const givingUp = Promise.all([
      expect(wait(20)).rejects.toMatchObject({ code: 'locked' }),
      expect(wait(30_000, abort.signal)).rejects.toThrow('enough'),
    ]);
    const behind = wait(30_000);
    setTimeout(() => { abort.abort(new Error('enough')); }, 40);
    await givingUp;
    await lock.release();
    await (await behind).release();
  });

  it('is had by one of four processes at a time', async () => {
    const all = (await Promise.all(Array.from({ length: 4 }, () => contend(1_500, 5).lines))).flat();
    expect(all.filter((line) => !isTurns(line))).toEqual([]);
    expect(all).toHaveLength(4);
    expect(await readdir(bench.folder)).toEqual([]);
  });

  it('is had by one at a time while processes are killed, and never stays with a dead one', async () => {
    const complaints: string[] = [];
    const until = Date.now() + 2_000;
    await Promise.all(Array.from({ length: 4 }, async () => {
      while (Date.now() < until) {
        const { child, lines } = contend(10_000, 3);
        await sleep(300 + Math.random() * 300);
        child.kill('SIGKILL');
        complaints.push(...(await lines).filter((line) => !isTurns(line)));
      }
    }));
    expect(complaints).toEqual([]);
    const began = performance.now();
    await (await lockFolderOrFile(bench.path, { waitMs: 0 }, never)).release();
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('the bench.folder of a lock that many reach for at once, in no line', () => {
  const reach = async (count: number): Promise<string> => {
    const names = Array.from({ length: count }, ownName);
    const taken = await Promise.all(names.map((name) => take(`${bench.path}.lock`, name, () => Promise.resolve(true))));
    const winners = names.filter((_, index) => taken[index]);
    expect(winners).toHaveLength(1);
    expect(await readdir(bench.folder)).toEqual(['thing.lock']);
    expect(await readdir(`${bench.path}.lock`)).toEqual(expect.arrayContaining(winners));
    return winners.join();
  };
  const put = async (...names: readonly string[]): Promise<void> => {
    await mkdir(`${bench.path}.lock`);
    for (const name of names) await writeFile(join(`${bench.path}.lock`, name), '');
  };
  const strange = 'pid-1.start-1.realm-0123456789ab.00000000';
  const dead = ownName().replace(/start-\d+/, 'start-1');

  it.each<[string, () => Promise<void>]>([
    ['none is there', () => Promise.resolve()],
    ['its owner is gone', () => put(dead)],
    ['it is a stranger\'s who is silent', () => put(strange)],
    ['it is a silent program\'s that leaves no name', () => put()],
    ['its maker was killed before moving in', async () => { await mkdir(`${bench.path}.lock`, 0o1777); }],
    ['it has several names', () => put(dead, strange, 'what is this')],
  ])('is taken by one when %s', async (_what, prepare) => {
    for (let round = 0; round < 30; round += 1) {
      await rm(`${bench.path}.lock`, { recursive: true, force: true });
      await prepare();
      await reach(8);
    }
  });

  it('is taken by one at a time while it is freed', async () => {
    const holders = new Set<string>();
    let turns = 0;
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 100; round += 1) {
        const name = ownName();
        if (!(await take(`${bench.path}.lock`, name, () => Promise.resolve(false)))) continue;
        holders.add(name);
        expect([...holders]).toEqual([name]);
        await sleep(Math.random());
        holders.delete(name);
        await free(`${bench.path}.lock`, name);
        turns += 1;
      }
    }));
    expect(turns).toBeGreaterThan(8);
    expect(await readdir(bench.folder)).toEqual([]);
  });

  it('is taken by one at a time among programs that use proper-lockfile as it comes', async () => {
    const holders = new Set<string>();
    const turns = { ours: 0, theirs: 0 };
    const least = Date.now() + 2_000;
    // A busy machine takes longer until each kind has had some turns.
    const isOver = (): boolean => Date.now() > least && Math.min(turns.ours, turns.theirs) > 8;
    const hold = async (name: string): Promise<void> => {
      holders.add(name);
      expect([...holders]).toEqual([name]);
      await sleep(Math.random());
      holders.delete(name);
    };
    await Promise.all([...Array.from({ length: 6 }, async () => {
      while (!isOver()) {
        const name = ownName();
        if (!(await take(`${bench.path}.lock`, name, () => Promise.resolve(false)))) continue;
        await hold(name);
        await free(`${bench.path}.lock`, name);
        turns.ours += 1;
      }
    }), ...Array.from({ length: 6 }, async (_, index) => {
      while (!isOver()) {
        // It keeps one lock of a name in each process: these go by the folder, as processes do.
        const isTheirs = await mkdir(`${bench.path}.lock`).then(() => true, () => false);
        if (!isTheirs) continue;
        await hold(`program ${index}`);
        await rmdir(`${bench.path}.lock`);
        turns.theirs += 1;
      }
    })]);
    expect(turns.ours).toBeGreaterThan(8);
    expect(turns.theirs).toBeGreaterThan(8);
    expect(await readdir(bench.folder)).toEqual([]);
  });

  it('is left to its maker while that one lives, and is nobody\'s when it is gone', async () => {
    const [maker, name] = [ownName(), ownName()];
    const isTaken = (): Promise<boolean> => take(`${bench.path}.lock`, name, () => Promise.resolve(false));
    await mkdir(`${bench.path}.lock`, 0o1777);
    await mkdir(`${bench.path}.lock.${maker}`);
    expect(await isTaken()).toBe(false);
    await rename(`${bench.path}.lock.${maker}`, `${bench.path}.lock.${dead}`);
    expect(await isTaken()).toBe(true);
    expect(await readdir(`${bench.path}.lock`)).toEqual([name]);
  });

  it('is left to whoever has taken it over, by the one who had it', async () => {
    await put(strange);
    const winner = await reach(1);
    await free(`${bench.path}.lock`, strange);
    expect(await readdir(`${bench.path}.lock`)).toEqual([winner]);
  });
});
