/** Batches that wait, and how many of each camera. */
import { expect, it } from 'vitest';
import { createWaitingBatches, type From, type WaitingBatch } from '../../src/pipeline/waiting.ts';
import type { Batch } from '../../src/types.ts';

it('knows how many batches wait of a camera, whatever became of others, without a look at each', () => {
  const waiting = createWaitingBatches();
  let looks = 0;
  const one = (from: From, camera: string, second: number): WaitingBatch => ({
    from,
    batch: {
      get camera_id() {
        looks += 1;
        return camera;
      },
      session: camera, frames: [{ captured_at: `2026-01-31T12:00:0${second}.000Z` }],
    } as unknown as Batch,
  });
  for (const second of [1, 2, 3]) for (const camera of ['a', 'b']) waiting.push(one('live', camera, second));
  waiting.push(one('recovered', 'a', 0));
  const counts = (): readonly number[] => ['a', 'b', 'none'].map((camera) => waiting.of(camera));
  looks = 0;
  expect([counts(), looks]).toEqual([[4, 3, 0], 0]);
  waiting.take(({ session }) => session === 'b');
  expect(waiting.letGo(2)).toMatchObject({ camera_id: 'a' });
  expect(counts()).toEqual([3, 2, 0]);
  const oldest = waiting.takeOldest();
  expect(counts()).toEqual([2, 2, 0]);
  if (oldest) waiting.putBack(oldest);
  expect(counts()).toEqual([3, 2, 0]);
  while (waiting.takeOldest());
  expect([counts(), waiting.size]).toEqual([[0, 0, 0], 0]);
});
