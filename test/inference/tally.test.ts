import { expect, it } from 'vitest';
import { createTally } from '../../src/inference/tally.ts';
import { createLog } from '../../src/lib/log.ts';
import type { Look } from '../../src/types.ts';
import { createVirtualClock } from '../load/virtual-clock.ts';
import { answer, batchOf, failure, identity, skipped } from '../record/parts.ts';

const [frame] = batchOf(['animals']).frames;

it('counts by model, camera and reason, and says once a minute what was let go', async () => {
  const clock = createVirtualClock();
  const lines: string[] = [];
  const tally = createTally(clock, createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) }));
  const tell = (camera: string, looks: readonly Look[], times: number): void => {
    for (let time = 0; time < times; time += 1) for (const look of looks) if (frame) tally.looked(camera, frame, 'animals', look);
  };
  tell('a', answer([]), 600);
  tell('b', answer([]), 240);
  tell('b', skipped('overloaded'), 300);
  tell('b', skipped('quarantined'), 30);
  tell('b', failure().slice(0, 1), 30);
  expect(tally.of('animals')).toEqual({
    batches: 0, inference_seconds: expect.closeTo(840 * 0.012) as number, looks: { looked: 840, failed: 30, skipped: { overloaded: 300, quarantined: 30 } },
    cameras: { a: { looked: 600, failed: 0, skipped: {} }, b: { looked: 240, failed: 30, skipped: { overloaded: 300, quarantined: 30 } } },
  });
  await clock.pass(60_000);
  expect(lines.map((line) => line.replace(/^.*lookout: /, '').trim())).toEqual([
    'animals looks at 15 frames/s of the 20 that 2 cameras bring: 73 % in all, 45 to 100 % by camera (300 overloaded, 30 quarantined)',
  ]);
  tell('a', answer([]), 600);
  await clock.pass(60_000);
  expect(lines).toHaveLength(1);
  tally.batch({ animals: answer([], 'torn'), motion: skipped('late', 'late') });
  expect([tally.of('animals').batches, tally.of('motion').batches]).toEqual([1, 0]);
  if (frame) tally.looked('__proto__', frame, 'constructor', { skipped: 'late', identity });
  tally.batch({ constructor: answer([]) });
  const own = tally.of('constructor');
  expect([own.batches, JSON.stringify(own.cameras)]).toEqual([1, '{"__proto__":{"looked":0,"failed":0,"skipped":{"late":1}}}']);
  tally.close();
});
