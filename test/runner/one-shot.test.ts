import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { isTransient } from '../../src/lib/transient.ts';
import { oneShotRunner } from '../../src/runner/one-shot.ts';
import type { Runner } from '../../src/types.ts';
import { canMount, mountSmallDisk } from '../helpers/small-disk.ts';
import { alive, failure, folder, frames, never, pids, python, until } from './fixtures.ts';

let work_dir: string;
let runner: Runner | undefined;
let logs: string[];

beforeEach(async () => {
  work_dir = await mkdtemp(join(tmpdir(), 'lookout-one-shot-'));
  logs = [];
});

afterEach(async () => {
  await runner?.close();
  await rm(work_dir, { recursive: true });
});

function oneShot(behaviour: string): Runner {
  runner = oneShotRunner(
    { file: python, args: [join(folder, 'one_shot.py'), behaviour], cwd: folder, env: {} },
    { model: 'animals', onLog: (line) => logs.push(line), work_dir },
  );
  return runner;
}

test('a program that keeps the contract answers frame by frame, with the sum of its times', async () => {
  const found = [{ class: 'animals', confidence: 0.5, box: [1, 2, 3, 4] }];
  expect(await oneShot('well').predict(frames(3), {}, never)).toEqual({
    predictions: [0, 1, 2].map((index) => ({ index, detections: found })),
    inference_ms: 9,
  });
  expect(logs.toSorted()).toEqual([expect.stringMatching(/^by way of stderr$/), expect.stringMatching(/^looking at .*\.json$/)]);
});

test('a program that takes more memory than it may is ended, and fails its call', async () => {
  const command = { file: 'sh', args: ['-c', `${process.execPath} -e 'globalThis.held = Buffer.alloc(4e8, 1); setTimeout(() => {}, 20_000)'; exit 0`], cwd: folder, env: {}, memory_mb: 300 };
  runner = oneShotRunner(command, { model: 'animals', onLog: (line) => logs.push(line), work_dir });
  expect((await failure(runner.predict(frames(1), {}, never))).message).toMatch(/the program was ended: it took [3-9]\d\d MB of memory, more than its memory_mb of 300/);
});

test.skipIf(!canMount)('a program whose output finds no room fails for that, which passes (needs leave to mount)', async () => {
  const disk = mountSmallDisk(1);
  onTestFinished(() => { disk.unmount(); });
  const full = oneShotRunner(
    { file: python, args: [join(folder, 'one_shot.py'), 'well'], cwd: folder, env: {} }, { model: 'animals', onLog: () => undefined, work_dir: disk.folder },
  );
  await writeFile(join(disk.folder, 'filler'), Buffer.alloc(2e6)).catch(() => undefined);
  const error = await failure(full.predict(frames(1), {}, never));
  expect(error).toMatchObject({ code: 'runner_failed' });
  expect(isTransient(error)).toBe(true);
  await rm(join(disk.folder, 'filler'));
  expect((await full.predict(frames(1), {}, never)).predictions).toHaveLength(1);
  await full.close();
});

test('frames are handed over as absolute paths', async () => {
  const { predictions } = await oneShot('paths').predict(frames(1), {}, never);
  expect(predictions).toEqual([{ index: 0, detections: [{ class: '/frames/0.jpg', confidence: 0, box: [0, 0, 0, 0] }] }]);
});

test('aliases are taken, gaps filled, detections without a label left out, and errors kept as the frame\'s', async () => {
  const { predictions } = await oneShot('aliases').predict(frames(3), {}, never);
  expect(predictions.slice(0, 2)).toEqual([
    { index: 0, detections: [{ class: 'cat', confidence: 0, box: [0, 0, 9, 9] }, { class: 'dog', confidence: 0, box: [0, 0, 0, 0] }] },
    { index: 1, error: { code: 'bad_frame', message: 'cannot read' } },
  ]);
});

test('a number is a label, also 0, and an empty label gives way to the class', async () => {
  const { predictions: [first] } = await oneShot('numbers').predict(frames(1), {}, never);
  expect(first && 'detections' in first && first.detections.map((one) => one.class)).toEqual(['16', 'dog', '0']);
});

test('without times of its own the call\'s wall time counts', async () => {
  expect((await oneShot('untimed').predict(frames(2), {}, never)).inference_ms).toBeGreaterThan(100);
});

test('a call fails, and its program counts as up, where there is no room for the output', async () => {
  await rm(work_dir, { recursive: true });
  await writeFile(work_dir, '');
  expect(await failure(oneShot('well').predict(frames(1), {}, never))).toMatchObject({ code: 'runner_failed', message: expect.stringContaining('there is no room for its output') as string });
});

test('a program that reads its input, or starts one that does, finds it empty', async () => {
  const { predictions } = await oneShot('read').predict(frames(1), {}, AbortSignal.timeout(10_000));
  expect(predictions).toMatchObject([{ index: 0, detections: [{ class: "read ''" }] }]);
});

describe('a call fails, and is never taken for an empty answer, when the program', () => {
  test.for([
    ['exit', 'the program exited with code 2'],
    ['nothing', 'the program exited with code 0 and left no file at the path of --output-file.'],
    ['blank', 'the output file is empty; '],
    ['torn', 'the output is not JSON'],
    ['fail on 0 1', 'the program exited with code 0, but its model failed on each of the 2 frames: Error during inference for animals: frame 0'],
    ['empty', 'the output mentions none of the frames'],
    ['huge', /its output file cannot be read: it has 17\d+ bytes, more than 16777216/],
    ['pipe', 'its output file cannot be read: it is no file'],
    ['folder', 'its output file cannot be read: it is no file'],
  ] as const)('%s', async ([behaviour, why]) => {
    const error = await failure(oneShot(behaviour).predict(frames(2), {}, AbortSignal.timeout(10_000)));
    expect(await readdir(work_dir)).toEqual([]);
    expect(error.code).toBe('runner_failed');
    expect(error.message).toContain('Model animals: the call failed: ');
    expect(error.message).toMatch(why);
    expect(error.message).toContain('looking at');
    expect(error.message).toContain('by way of stderr');
  });
});

test('frames on which the program says in print that its model failed are bad ones, not empty', async () => {
  const failed = (index: number) => ({ index, error: { code: 'bad_frame', message: `Error during inference for animals: frame ${index}` } });
  expect((await oneShot('fail loudly on 0 2').predict(frames(3), {}, never)).predictions).toMatchObject([failed(0), { detections: [{}] }, failed(2)]);
});

test('where nobody can tell on which frame the model failed, the answer stands', async () => {
  expect((await oneShot('silent').predict(frames(2), {}, never)).predictions).toEqual([{ index: 0, detections: [] }, { index: 1, detections: [] }]);
});

test('an abort kills the program and what it started within a second', async () => {
  const abort = new AbortController();
  const late = new LookoutError('runner_timeout', 'no answer');
  const call = failure(oneShot('hang').predict(frames(1), {}, abort.signal));
  await until(() => pids(logs).length === 1);
  const before = Date.now();
  abort.abort(late);
  expect(await call).toBe(late);
  expect(Date.now() - before).toBeLessThan(2000);
  expect(pids(logs).map(alive)).toEqual([false]);
});

test('close ends the call at hand, resolves ended, and refuses further calls', async () => {
  const hanging = oneShot('hang');
  const call = failure(hanging.predict(frames(1), {}, never));
  await until(() => pids(logs).length === 1);
  await hanging.close();
  expect((await call).code).toBe('runner_died');
  expect(await hanging.ended).toBe('was closed');
  expect((await failure(hanging.predict(frames(1), {}, never))).code).toBe('runner_died');
  expect(pids(logs).map(alive)).toEqual([false]);
});

test('no output file is left behind', async () => {
  await oneShot('well').predict(frames(1), {}, never);
  await failure(oneShot('empty').predict(frames(1), {}, never));
  expect(await readdir(work_dir)).toEqual([]);
});
