/** When it is tried again whether libav can be used. */
import { expect, it } from 'vitest';
import { createSelfTest } from '../../../src/sources/feeds/self-test.ts';

it('a yes stands, and a no is asked for again after ten minutes', async () => {
  const answers = ['too busy', 'still too busy', null];
  let [asked, now] = [0, 0];
  const whyNot = createSelfTest(() => Promise.resolve(answers[asked++] ?? null), () => now);
  expect(await Promise.all([whyNot(), whyNot()])).toEqual(['too busy', 'too busy']);
  now = 300_000;
  expect(await whyNot()).toBe('too busy');
  expect(asked).toBe(1);
  now = 700_000;
  await whyNot();
  expect(await whyNot()).toBe('still too busy');
  now = 1_400_000;
  await whyNot();
  expect(await whyNot()).toBeNull();
  now = 100_000_000;
  expect(await whyNot()).toBeNull();
  expect(asked).toBe(3);
});
