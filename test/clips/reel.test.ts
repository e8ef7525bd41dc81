/** The frames that clips may begin with: how long each is held. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { openReel, type HeldFrame, type Reel } from '../../src/clips/reel.ts';
import { createManualClock, type ManualClock } from '../helpers/manual-clock.ts';

const START = Date.parse('2026-11-20T12:00:00.000Z');

let folder: string;
let clock: ManualClock;
let reel: Reel;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-reel-'));
  clock = createManualClock(START);
  await writeFile(join(folder, 'picture.jpg'), Buffer.alloc(1000));
  reel = await openReel(join(folder, 'held'), (key) => join(folder, key), clock, (camera) => (error) => { throw new Error(`frames of ${camera} stay`, { cause: error }); });
  onTestFinished(async () => {
    reel.close();
    await rm(folder, { recursive: true, force: true });
  });
});

const inFolder = (): Promise<readonly string[]> => readdir(join(folder, 'held'));
const hold = (camera: string, seconds: number, key = 'picture.jpg'): Promise<HeldFrame | null> =>
  reel.hold(camera, { key, sequence: 0, captured_at: new Date(START + 1000 * seconds).toISOString(), width: 64, height: 48 }, 10, 5);
const secondsOf = (camera: string): readonly number[] => reel.since(camera, 0).map(({ ms }) => (ms - START) / 1000);

it('a frame is held until that after it is older than what is wanted', async () => {
  for (const at of [0, 5, 10, 14, 15]) await hold('gate', at);
  expect(secondsOf('gate')).toEqual([5, 10, 14, 15]);
  expect(await inFolder()).toHaveLength(4);
  expect(await hold('gate', 16, 'gone.jpg')).toBeNull();
  expect(secondsOf('gate').at(-1)).toBe(15);
});

it('one that another has overtaken goes into its place; of a clock that was set back no earlier ones are kept', async () => {
  for (const at of [0, 5, 9.9, 9.7, 10, 9.65, 11]) await hold('gate', at);
  expect(secondsOf('gate')).toEqual([0, 5, 9.7, 9.9, 10, 11]);
  expect(await inFolder()).toHaveLength(6);
  for (const at of [6, 7, 8, 9]) await hold('gate', at);
  expect(secondsOf('gate')).toEqual([8, 9]);
  expect(await inFolder()).toHaveLength(2);
});

it('all of a camera go once none has come for as long, and two intervals', async () => {
  await hold('gate', 0);
  clock.pass(15);
  await hold('gate', 15);
  await hold('yard', 15);
  clock.pass(19);
  await hold('yard', 34);
  expect(secondsOf('gate')).toEqual([0, 15]);
  clock.pass(2);
  expect(secondsOf('gate')).toEqual([]);
  expect(secondsOf('yard')).toEqual([15, 34]);
  await expect.poll(inFolder).toHaveLength(2);
});

it('the oldest go where room is short', async () => {
  for (const at of [0, 1, 2]) await hold('gate', at);
  const before = reel.expendable.held();
  expect(before).toBe(3000);
  expect(await reel.expendable.letGo({ bytes: 1500, files: 0 })).toEqual({ bytes: 2000, files: 2 });
  expect([reel.expendable.held(), (await inFolder()).length]).toEqual([1000, 1]);
});

it('one that is let go while it is linked is not left behind', async () => {
  const held = hold('gate', 0);
  await reel.forget('gate');
  expect(await held).toBeNull();
  expect(await inFolder()).toEqual([]);
});
