import { setMaxListeners } from 'node:events';
import { expect, it } from 'vitest';
import { createPacer, type Standing } from '../../src/lib/pacer.ts';

const never = new AbortController().signal;
setMaxListeners(0, never);

it('lets the first go at once and the others so far apart', async () => {
  const { turn: pace } = createPacer(1);
  const began = performance.now();
  const times: number[] = [];
  await Promise.all([1, 2, 3, 4].map(async () => {
    await pace('well', 60, never);
    times.push(performance.now() - began);
  }));
  expect(times[0]).toBeLessThan(50);
  times.slice(1).forEach((time, index) => { expect(time).toBeGreaterThan(60 * (index + 1) - 2); });
});

it('lets the next go sooner after what costs less, and on more processors', async () => {
  const { turn: pace } = createPacer(4);
  const began = performance.now();
  const times: number[] = [];
  for (const ms of [400, 40, 40]) {
    await pace('well', ms, never);
    times.push(performance.now() - began);
  }
  const [first = NaN, second = NaN, third = NaN] = times;
  expect(first).toBeLessThan(50);
  expect(second - first).toBeGreaterThan(98);
  expect(third - second).toBeGreaterThan(8);
  expect(third - second).toBeLessThan(80);
});

it('lets one go at once after a while without anybody', async () => {
  const { turn: pace } = createPacer(1);
  await pace('well', 60, never);
  await new Promise((resolve) => setTimeout(resolve, 80));
  const began = performance.now();
  await pace('well', 60, never);
  expect(performance.now() - began).toBeLessThan(50);
});

it('keeps nobody who does not want to wait any more', async () => {
  const { turn: pace } = createPacer(1);
  const stop = new AbortController();
  await pace('well', 60_000, never);
  const waiting = pace('well', 60_000, stop.signal);
  stop.abort();
  await waiting;
});

it('lets whoever asked last go first', async () => {
  const { turn: pace } = createPacer(1);
  const order: number[] = [];
  await Promise.all([1, 2, 3, 4].map(async (number) => {
    await pace('well', 5, never);
    order.push(number);
  }));
  expect(order).toEqual([4, 3, 2, 1]);
});

it('lets those that are awaited go before the others, the first to ask first, and every fourth turn be another\'s', async () => {
  const { turn: pace } = createPacer(1);
  const order: string[] = [];
  const go = async (standing: Standing, name: string): Promise<void> => {
    await pace(standing, 5, never);
    order.push(name);
  };
  await Promise.all([...['w', 'x'].map((name) => go('well', name)), ...['1', '2', '3', '4', '5'].map((name) => go('awaited', name))]);
  expect(order.join('')).toBe('123x45w');
});

it('is busy while somebody waits and until the next turn is free', async () => {
  const pacer = createPacer(1);
  expect(pacer.busy).toBe(false);
  const first = pacer.turn('well', 50, never);
  expect(pacer.busy).toBe(true);
  await first;
  expect(pacer.busy).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 70));
  expect(pacer.busy).toBe(false);
});

it('keeps nobody waiting for turns that were given up', async () => {
  const { turn: pace } = createPacer(1);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  await pace('well', 100, never);
  const given_up = Array.from({ length: 900 }, () => pace('failing', 100, stop.signal));
  const began = performance.now();
  stop.abort();
  await Promise.all([...given_up, pace('failing', 100, never)]);
  expect(performance.now() - began).toBeLessThan(500);
});

it('lets those that are well go before those that fail, of whom every fourth has a turn all the same', async () => {
  const { turn: pace } = createPacer(1);
  const order: string[] = [];
  const go = async (standing: Standing): Promise<void> => {
    await pace(standing, 5, never);
    order.push(standing === 'well' ? 'w' : 'f');
  };
  await Promise.all([...Array.from({ length: 9 }, () => go('failing')), ...Array.from({ length: 8 }, () => go('well'))]);
  expect(order.join('')).toBe('wwwfwwwfwwfffffff');
});
