import { expect, it } from 'vitest';
import type { Ask } from '../../src/inference/asks.ts';
import { createFoyer } from '../../src/inference/foyer.ts';

const askOf = (key: string): Ask => ({
  frame: { key, captured_at: '2025-03-01T12:00:00.000Z', sequence: 0, width: 640, height: 480 },
  stream: { camera_id: 'CAM-1', session: 'CAM-1_0a1b2c3d', interval_seconds: 3, batch_size: 10, from: 'live' },
  at: 0, answer: () => undefined, giveUp: () => undefined, isOver: () => false,
});

it('frames of a batch that was taken back wait for its end again', () => {
  const foyer = createFoyer();
  const [a, b] = [askOf('a'), askOf('b')];
  foyer.add(a);
  foyer.add(b);
  foyer.close(['a', 'b']);
  for (const ask of [a, b]) foyer.remove(ask);
  foyer.add(a);
  expect([foyer.isClosed(a), foyer.hasWork('batch'), foyer.leave('batch')]).toEqual([false, false, []]);
  foyer.add(b);
  foyer.close(['a', 'b']);
  expect([foyer.hasWork('batch'), foyer.leave('batch'), foyer.asks]).toEqual([true, [[a, b]], []]);
});
