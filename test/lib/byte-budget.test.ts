import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createByteBudget } from '../../src/lib/byte-budget.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-budget-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, bytes: number, changedAt = 0): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, Buffer.alloc(bytes));
  if (changedAt > 0) await utimes(path, changedAt, changedAt);
  return path;
}

const open = (maxBytes: number, existing: readonly string[] = []): ReturnType<typeof createByteBudget> =>
  createByteBudget({ maxBytes, existing, remove: (path) => rm(path, { recursive: true }) });

describe('a byte budget', () => {
  it('removes the oldest entries once there are too many bytes', async () => {
    const budget = await open(250);
    for (const name of ['a', 'b', 'c', 'd']) await budget.add(await file(name, 100));
    expect(await readdir(folder)).toEqual(['c', 'd']);
  });

  it('keeps what just fits', async () => {
    const budget = await open(200);
    for (const name of ['a', 'b']) await budget.add(await file(name, 100));
    expect(await readdir(folder)).toEqual(['a', 'b']);
  });

  it('keeps the newest entry even when it alone is too large', async () => {
    const budget = await open(250);
    await budget.add(await file('a', 100));
    await budget.add(await file('huge', 300));
    expect(await readdir(folder)).toEqual(['huge']);
    await budget.add(await file('b', 100));
    expect(await readdir(folder)).toEqual(['b']);
  });

  it('removes what was there before by time of change', async () => {
    const budget = await open(250, [await file('new', 100, 3000), await file('old', 100, 1000), await file('middle', 100, 2000)]);
    await budget.add(await file('newest', 100));
    expect(await readdir(folder)).toEqual(['new', 'newest']);
  });

  it('counts a folder with all that is in it, and removes it as a whole', async () => {
    await mkdir(join(folder, 'letter/deep'), { recursive: true });
    await file('letter/deep/a', 150);
    await file('letter/b', 50);
    const budget = await open(250, [join(folder, 'letter')]);
    await budget.add(await file('more', 100));
    expect(await readdir(folder)).toEqual(['more']);
  });

  it('counts what cannot be measured as nothing, and all else', async () => {
    const unseen = join(folder, 'x'.repeat(300));
    const budget = await open(250, [await file('old', 100), unseen, await file('new', 100)]);
    await budget.add(unseen);
    expect(budget.held()).toBe(200);
  });

  it('counts a link as what it is, also one that leads to itself', async () => {
    const loop = join(folder, 'loop');
    await symlink('loop', loop);
    const budget = await open(250, [loop, await file('old', 100)]);
    for (const name of ['a', 'b']) await budget.add(await file(name, 100));
    expect((await readdir(folder)).sort()).toEqual(['a', 'b']);
  });

  it('looks at no more entries than it removes, however many there are', async () => {
    const existing = await Promise.all(Array.from({ length: 300 }, (_, number) => file(`${1000 + number}`, 1, 1000 + number)));
    let looked = 0;
    const canBeSpared = (): boolean => {
      looked += 1;
      return true;
    };
    const budget = await createByteBudget({ maxBytes: 300, existing, remove: (path) => rm(path), canBeSpared });
    await budget.add(await file('newest', 2));
    expect(await readdir(folder)).toHaveLength(299);
    expect(looked).toBeLessThan(10);
  });

  it('counts an entry that is written again once, as new', async () => {
    const budget = await open(250);
    await budget.add(await file('a', 100));
    await budget.add(await file('b', 100));
    await budget.add(await file('a', 120));
    await budget.add(await file('c', 100));
    expect(await readdir(folder)).toEqual(['a', 'c']);
  });

  it('forgets what somebody else removed', async () => {
    const budget = await open(250);
    const gone = await file('a', 200);
    await budget.add(gone);
    await rm(gone);
    budget.forget(gone);
    budget.forget(join(folder, 'never heard of'));
    for (const name of ['b', 'c']) await budget.add(await file(name, 100));
    expect(await readdir(folder)).toEqual(['b', 'c']);
  });

  it('lets go of the oldest when it is asked to, and of those alone that are meant', async () => {
    const existing = await Promise.all([file('a', 100, 1), file('b', 100, 2), file('c', 100, 3), file('d', 100, 4)]);
    const reasons: string[] = [];
    const budget = await createByteBudget({ maxBytes: 1000, existing, remove: async (path, why) => { reasons.push(why); await rm(path); } });
    const notA = (path: string): boolean => !path.endsWith('a');
    expect(budget.held(notA)).toBe(300);
    expect(await budget.letGo({ bytes: 150, files: 0 }, notA)).toEqual({ bytes: 200, files: 2 });
    expect(await readdir(folder)).toEqual(['a', 'd']);
    expect(await budget.letGo({ bytes: 0, files: 1 })).toEqual({ bytes: 100, files: 1 });
    expect(await budget.letGo({ bytes: 1000, files: 0 })).toEqual({ bytes: 100, files: 1 });
    expect(await budget.letGo({ bytes: 1000, files: 0 })).toEqual({ bytes: 0, files: 0 });
    expect([reasons.length, new Set(reasons)]).toEqual([4, new Set(['asked'])]);
  });

  it('goes on counting what could not be removed, and comes to the others all the same', async () => {
    const stuck = await file('stuck', 100, 1);
    const remove = (path: string): Promise<void> => (path === stuck ? Promise.reject(new Error('busy')) : rm(path));
    const budget = await createByteBudget({ maxBytes: 250, existing: [stuck, await file('a', 100, 2)], remove });
    await budget.add(await file('b', 100));
    expect(budget.held()).toBe(200);
    expect((await readdir(folder)).sort()).toEqual(['b', 'stuck']);
    expect(await budget.letGo({ bytes: 200, files: 0 })).toEqual({ bytes: 100, files: 1 });
    expect(await readdir(folder)).toEqual(['stuck']);
    await expect(budget.letGo({ bytes: 200, files: 0 })).rejects.toThrow('busy');
    expect(budget.held()).toBe(100);
  });

  it('says so where there are too many bytes and none can be removed, and tries few of thousands at a time', async () => {
    const existing = await Promise.all(Array.from({ length: 200 }, (_, index) => file(`old-${index}`, 1, index + 1)));
    let tries = 0;
    const budget = await createByteBudget({ maxBytes: 100, existing, remove: () => { tries += 1; return Promise.reject(new Error('busy')); } });
    await expect(budget.add(await file('new', 1))).rejects.toThrow('busy');
    expect(tries).toBeLessThan(100);
    expect(budget.held()).toBe(201);
  });
});
