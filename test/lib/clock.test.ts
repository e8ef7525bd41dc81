import { describe, expect, it } from 'vitest';
import { backoffMs, systemClock } from '../../src/lib/clock.ts';

describe('the pause before another try', () => {
  it('doubles up to its cap when chance says the most', () => {
    expect([0, 1, 2, 3, 4, 5, 6].map((attempt) => backoffMs(attempt, 1000, 30_000, () => 1))).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('is never less than half of that', () => {
    expect([0, 3, 9].map((attempt) => backoffMs(attempt, 1000, 30_000, () => 0))).toEqual([500, 4000, 15_000]);
  });

  it('stays finite after very many tries', () => {
    expect(backoffMs(100_000, 1000, 30_000, () => 1)).toBe(30_000);
  });
});

describe('the clock of the system', () => {
  it('sleeps about as long as it is told', async () => {
    const began = performance.now();
    await systemClock.sleep(50, new AbortController().signal);
    expect(performance.now() - began).toBeGreaterThan(48);
  });

  it('sleeps longer than the longest timer of Node', async () => {
    const stop = new AbortController();
    let awake = false;
    const sleep = systemClock.sleep(40 * 86_400_000, stop.signal).then(() => { awake = true; });
    await systemClock.sleep(50, new AbortController().signal);
    expect(awake).toBe(false);
    stop.abort();
    await sleep;
  });

  it.each(['before', 'during'])('wakes up without an error when the signal aborts %s the sleep', async (when) => {
    const stop = new AbortController();
    if (when === 'before') stop.abort();
    const began = performance.now();
    const sleep = systemClock.sleep(60_000, stop.signal);
    stop.abort();
    await sleep;
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
