import { expect, it } from 'vitest';
import { createPacer } from '../../src/lib/pacer.ts';

const never = new AbortController().signal;

it('lets the first go at once and the others so far apart', async () => {
  const pace = createPacer(60);
  const began = performance.now();
  const times = await Promise.all([1, 2, 3, 4].map(async () => {
    await pace(never);
    return performance.now() - began;
  }));
  expect(times[0]).toBeLessThan(50);
  expect([...times].sort((a, b) => a - b)).toEqual(times);
  times.slice(1).forEach((time, index) => { expect(time).toBeGreaterThan(60 * (index + 1) - 2); });
});

it('lets one go at once after a while without anybody', async () => {
  const pace = createPacer(60);
  await pace(never);
  await new Promise((resolve) => setTimeout(resolve, 80));
  const began = performance.now();
  await pace(never);
  expect(performance.now() - began).toBeLessThan(50);
});

it('keeps nobody who does not want to wait any more', async () => {
  const pace = createPacer(60_000);
  const stop = new AbortController();
  await pace(never);
  const waiting = pace(stop.signal);
  stop.abort();
  await waiting;
});
