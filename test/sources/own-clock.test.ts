/** What happens to a capture when this process or its machine's clock has a hiccup. */
import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { capture, firstFrames, never } from './streams.ts';

let camera: DemoCamera;
beforeAll(async () => {
  camera = await startDemoCamera({ cameras: { street: { kind: 'scene', width: 320, height: 180, fps: 12, keyframe_seconds: 1 } } }, never);
});
afterAll(() => camera.close());

it('a capture survives a process that is held up for longer than a stall', async () => {
  const running = capture(camera.url('street'), { interval_seconds: 1 })[Symbol.asyncIterator]();
  try {
    for (let count = 0; count < 4; count += 1) await running.next();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 8000);
    for (let count = 0; count < 4; count += 1) expect((await running.next()).done).toBe(false);
  } finally {
    await running.return();
  }
});

it('a clock that is set changes what is said of the next picture, and nothing else', async () => {
  const running = capture(camera.url('street'), { interval_seconds: 1 })[Symbol.asyncIterator]();
  const hour = 3_600_000;
  try {
    await running.next();
    await running.next();
    for (const step of [hour, -hour]) {
      const real = Date.now;
      vi.spyOn(Date, 'now').mockImplementation(() => real() + step);
      // One may have been under way.
      await running.next();
      const { value } = await running.next() as { value: { captured_at: string } };
      expect(Math.abs(Date.now() - Date.parse(value.captured_at))).toBeLessThan(1500);
      vi.restoreAllMocks();
    }
  } finally {
    vi.restoreAllMocks();
    await running.return();
  }
});

it('two captures in a row leave nothing on a signal that both were given', async () => {
  const long = new AbortController().signal;
  for (let round = 0; round < 2; round += 1) await firstFrames(capture(camera.url('street'), { interval_seconds: 1 }, long), 1);
  expect(getEventListeners(long, 'abort')).toEqual([]);
});
