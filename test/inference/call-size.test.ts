import { describe, expect, it } from 'vitest';
import { createCallSize } from '../../src/inference/call-size.ts';

const MINUTE = 60_000;
/** Of each call. */
const DEADLINE = MINUTE;

/** Sizes of the calls, one after the other, of a model that takes so long for a call and for each of its frames. */
function sizes(callMs: number, frameMs: number, calls = 30, most = 8): readonly number[] {
  const size = createCallSize();
  return Array.from({ length: calls }, () => {
    const frames = size.of(most, DEADLINE, 0);
    size.took(frames, callMs + frames * frameMs);
    return frames;
  });
}

describe('the size of calls', () => {
  it('is a frame until it is known how long one takes, then all that the model takes while calls are short', () => {
    const [first, ...others] = sizes(5, 20);
    expect(first).toBe(1);
    expect(new Set(others)).toEqual(new Set([8]));
  });

  it.each([8, 13, 25, 45])('is never more than would be answered within the deadline, of a model that takes %d s for a frame', (seconds) => {
    expect(Math.max(...sizes(0, 1000 * seconds)) * 1000 * seconds).toBeLessThanOrEqual(DEADLINE);
  });

  it('is a frame where that takes most of the deadline, also of a model that was quick before', () => {
    const size = createCallSize();
    for (const frames of [1, 2, 4, 8]) size.took(frames, 20 * frames);
    for (const frames of [8, 4, 2]) size.failed(frames, 0);
    for (let call = 0; call < 10; call += 1) size.took(size.of(8, DEADLINE, 0), 45_000);
    expect([0, 11, 22, 33, 44].map((minutes) => size.of(8, DEADLINE, minutes * MINUTE))).toEqual([1, 1, 1, 1, 1]);
  });

  it('is found where calls last long whatever they hold', () => {
    expect(sizes(20_000, 5).slice(-20).every((frames) => frames === 8)).toBe(true);
  });

  it('is smaller for a slow model, down to a frame', () => {
    expect(sizes(0, 140).slice(3)).toEqual(Array.from({ length: 27 }, () => 2));
    expect(sizes(0, 1400).at(-1)).toBe(1);
  });

  it('stays full where calls last the same whatever they hold', () => {
    expect(sizes(600, 5).slice(-20).every((frames) => frames === 8)).toBe(true);
  });

  it('grows again when the model has become quicker', () => {
    const size = createCallSize();
    for (let call = 0; call < 5; call += 1) size.took(size.of(8, DEADLINE, 0), 200 * size.of(8, DEADLINE, 0));
    expect(size.of(8, DEADLINE, 0)).toBeLessThanOrEqual(2);
    for (let call = 0; call < 30; call += 1) size.took(size.of(8, DEADLINE, 0), 10 * size.of(8, DEADLINE, 0));
    expect(size.of(8, DEADLINE, 0)).toBe(8);
  });

  it('is halved where a call failed, and twice that is tried after some minutes', () => {
    const size = createCallSize();
    for (const frames of [8, 4]) size.failed(frames, 0);
    // Short calls.
    for (let call = 0; call < 30; call += 1) size.took(size.of(8, DEADLINE, 0), 10);
    expect([0, MINUTE, 11 * MINUTE, 12 * MINUTE, 22 * MINUTE].map((now) => size.of(8, DEADLINE, now))).toEqual([2, 2, 4, 4, 8]);
  });

  it('is what it was where not the size was at fault, or the folder is another one', () => {
    const size = createCallSize();
    size.took(1, 10);
    size.failed(8, 0);
    const takeBack = size.failed(4, 0);
    expect(size.of(8, DEADLINE, 0)).toBe(2);
    takeBack();
    expect(size.of(8, DEADLINE, 0)).toBe(4);
    size.forget();
    expect([size.of(8, DEADLINE, 0), size.usualMs]).toEqual([1, 0]);
    size.took(1, 10);
    expect(size.of(8, DEADLINE, 0)).toBe(8);
  });
});

it('knows about how long a call lasts', () => {
  const size = createCallSize();
  expect(size.usualMs).toBe(0);
  size.took(1, 100);
  expect(size.usualMs).toBe(100);
  for (let call = 0; call < 20; call += 1) size.took(1, 300);
  expect(size.usualMs).toBeGreaterThan(290);
});
