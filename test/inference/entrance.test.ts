import { expect, it } from 'vitest';
import type { Ask } from '../../src/inference/asks.ts';
import { createCallSize } from '../../src/inference/call-size.ts';
import { createEntrance } from '../../src/inference/entrance.ts';
import { createQuarantine } from '../../src/inference/quarantine.ts';
import type { Model } from '../../src/types.ts';

const askOf = (key: string, at: number): Ask => ({
  frame: { key, captured_at: '2025-03-01T12:00:00.000Z', sequence: 0, width: 640, height: 480 },
  stream: { camera_id: 'CAM-1', session: 'CAM-1_0a1b2c3d', interval_seconds: 0, batch_size: 10, from: 'live' },
  at, answer: () => undefined, giveUp: () => undefined, isOver: () => false,
});

it('pictures that are brought together are all looked at by a model that is fast enough, though they have no interval', () => {
  const gone: string[] = [];
  const callSize = createCallSize();
  callSize.took(1, 20);
  const entrance = createEntrance({
    settings: { runner_idle_seconds: 600, queue_total: 200, batch_size: 10, model_deadline_seconds: 60 }, callSize, quarantine: createQuarantine(),
    skip: (asks) => { gone.push(...asks.map(({ frame }) => frame.key)); },
  });
  const model = { look: 'frame' } as Model;
  for (const at of [0, 10, 20, 100]) entrance.add(askOf(`at ${at}`, at), model);
  expect(gone).toEqual([]);
  entrance.add(askOf('at 1050', 1050), model);
  expect(gone).toEqual(['at 0', 'at 10', 'at 20']);
});
