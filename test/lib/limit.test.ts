/** Work of which only so much is done at a time. */
import { expect, it } from 'vitest';
import { createLimit } from '../../src/lib/limit.ts';

it('as much as may be is done at a time, the rest in order as soon as something ends, however it ends', async () => {
  const limit = createLimit(2);
  const begun: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const results = [0, 1, 2, 3].map((number) => limit(() => new Promise<number>((resolve, reject) => {
    begun.push(number);
    ends.push((error) => { if (error) reject(error); else resolve(number); });
  })));
  expect(begun).toEqual([0, 1]);
  ends[1]?.(new Error('it fails'));
  await expect(results[1]).rejects.toThrow('it fails');
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  ends[2]?.();
  await expect.poll(() => begun).toEqual([0, 1, 2, 3]);
  for (const end of ends) end();
  expect(await Promise.all([results[0], results[2], results[3]])).toEqual([0, 2, 3]);
  expect(await limit(() => Promise.resolve('free'))).toBe('free');
});
