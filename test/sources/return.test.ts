import { expect, it } from 'vitest';
import { createReturn } from '../../src/sources/ffmpeg/return.ts';

const WINDOW_MS = 600_000;

/** Tells so many seconds of a camera of 10 pictures a second; answers when key frames alone were found to do. */
function dueAfter(seconds: number, keySeconds: (atSeconds: number) => number, step = (index: number): number => index): number | null {
  const back = createReturn(3, false, WINDOW_MS, 0);
  let nextKey = 0;
  for (let index = 0; index < seconds * 10; index += 1) {
    const at = index / 10;
    const isKey = at >= nextKey;
    if (isKey) nextKey = at + keySeconds(at);
    back.packet(step(index) / 10, isKey);
    back.decoded();
    if (back.isDue(at * 1000)) return at;
  }
  return null;
}

it('a stream whose key frames come often enough for a whole window may be taken by them again', () => {
  expect(dueAfter(2000, () => 2)).toBeCloseTo(600, 0);
});

it('one with a single gap between key frames waits for the next window', () => {
  expect(dueAfter(2000, (at) => (at > 200 && at < 210 ? 20 : 2))).toBeCloseTo(1200, 0);
});

it('one with rare key frames, or with B-frames, never', () => {
  expect(dueAfter(4000, () => 8)).toBeNull();
  expect(dueAfter(4000, () => 2, (index) => (index % 2 === 0 ? index + 1 : index - 1))).toBeNull();
});

it('one of which no packets are told is tried once the window is over', () => {
  const back = createReturn(3, true, WINDOW_MS, 0);
  expect([back.isDue(WINDOW_MS - 1), back.isDue(WINDOW_MS)]).toEqual([false, true]);
});
