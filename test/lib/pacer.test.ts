import { setMaxListeners } from 'node:events';
import { expect, it } from 'vitest';
import { createPacer, type Standing } from '../../src/lib/pacer.ts';

const never = new AbortController().signal;
setMaxListeners(0, never);

it('lets the first go at once and the others so far apart', async () => {
  const { turn: pace } = createPacer(60);
  const began = performance.now();
  const times: number[] = [];
  await Promise.all([1, 2, 3, 4].map(async () => {
    await pace('well', never);
    times.push(performance.now() - began);
  }));
  expect(times[0]).toBeLessThan(50);
  times.slice(1).forEach((time, index) => { expect(time).toBeGreaterThan(60 * (index + 1) - 2); });
});

it('lets one go at once after a while without anybody', async () => {
  const { turn: pace } = createPacer(60);
  await pace('well', never);
  await new Promise((resolve) => setTimeout(resolve, 80));
  const began = performance.now();
  await pace('well', never);
  expect(performance.now() - began).toBeLessThan(50);
});

it('keeps nobody who does not want to wait any more', async () => {
  const { turn: pace } = createPacer(60_000);
  const stop = new AbortController();
  await pace('well', never);
  const waiting = pace('well', stop.signal);
  stop.abort();
  await waiting;
});

it('lets whoever asked last go first', async () => {
  const { turn: pace } = createPacer(5);
  const order: number[] = [];
  await Promise.all([1, 2, 3, 4].map(async (number) => {
    await pace('well', never);
    order.push(number);
  }));
  expect(order).toEqual([4, 3, 2, 1]);
});

it('lets those that are awaited go before the others, the first to ask first, and every fourth turn be another\'s', async () => {
  const { turn: pace } = createPacer(5);
  const order: string[] = [];
  const go = async (standing: Standing, name: string): Promise<void> => {
    await pace(standing, never);
    order.push(name);
  };
  await Promise.all([...['w', 'x'].map((name) => go('well', name)), ...['1', '2', '3', '4', '5'].map((name) => go('awaited', name))]);
  expect(order.join('')).toBe('123x45w');
});

it('is busy while somebody waits and until the next turn is free', async () => {
  const pacer = createPacer(50);
  expect(pacer.busy).toBe(false);
  const first = pacer.turn('well', never);
  expect(pacer.busy).toBe(true);
  await first;
  expect(pacer.busy).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 70));
  expect(pacer.busy).toBe(false);
});

it('keeps nobody waiting for turns that were given up', async () => {
  const { turn: pace } = createPacer(100);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  await pace('well', never);
  const given_up = Array.from({ length: 900 }, () => pace('failing', stop.signal));
  const began = performance.now();
  stop.abort();
  await Promise.all([...given_up, pace('failing', never)]);
  expect(performance.now() - began).toBeLessThan(500);
});

it('lets those that are well go before those that fail, of whom every fourth has a turn all the same', async () => {
  const { turn: pace } = createPacer(5);
  const order: string[] = [];
  const go = async (standing: Standing): Promise<void> => {
    await pace(standing, never);
    order.push(standing === 'well' ? 'w' : 'f');
  };
  await Promise.all([...Array.from({ length: 9 }, () => go('failing')), ...Array.from({ length: 8 }, () => go('well'))]);
  expect(order.join('')).toBe('wwwfwwwfwwfffffff');
});
