/** A follower that is loaded when it is needed first. */
import { expect, it } from 'vitest';
import { loadedLater } from '../../../src/followers/common/loaded-later.ts';
import type { Follower } from '../../../src/types.ts';

const never = new AbortController().signal;
const loaded: Follower = { deliver: () => Promise.resolve([]), test: () => Promise.resolve('it is there'), close: () => Promise.resolve() };

it('is loaded again where that failed, and once where it did not', async () => {
  let tries = 0;
  const follower = loadedLater(async () => {
    await Promise.resolve();
    tries += 1;
    if (tries === 1) throw new Error('too many open files');
    return loaded;
  });
  await expect(follower.deliver([], never)).rejects.toThrow('too many open files');
  expect(await follower.test(never)).toBe('it is there');
  expect(await follower.deliver([], never)).toEqual([]);
  expect(tries).toBe(2);
  await follower.close();
});
