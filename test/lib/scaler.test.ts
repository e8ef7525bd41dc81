/** Pictures are scaled by few processes, each as if it were alone, whatever came before it; none outlives the server. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { imageSize } from 'image-size';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createScaler, type ScaleJpeg } from '../../src/lib/scaler.ts';
import { descendants } from '../helpers/process-tree.ts';

const SIZE = { width: 64, height: 36 };
/** By what makes it unlike the others: sizes and ways of coding that follow each other. */
const KINDS = ['testsrc=s=320x180', 'color=red:s=320x180,format=yuvj422p', 'testsrc=s=642x480,format=yuvj444p', 'testsrc=s=96x200,format=gray'];

let folder: string;
let pictures: readonly Buffer[];
let ended: AbortController;
let scale: ScaleJpeg;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-scaler-'));
  pictures = await Promise.all(KINDS.map(async (kind, place) => {
    const file = join(folder, `${place}.jpg`);
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', kind, '-frames:v', '1', file]);
    return readFile(file);
  }));
});
afterAll(() => rm(folder, { recursive: true }));

beforeEach(() => {
  ended = new AbortController();
  scale = createScaler(ended.signal);
});
afterEach(async () => {
  ended.abort();
  await expect.poll(() => processes(), { timeout: 5000 }).toBe(0);
});

const picture = (place: number): Buffer => pictures[place] ?? expect.fail(`no picture ${place}`);
const processes = (): number => descendants(process.pid).filter(({ command }) => command === 'ffmpeg').length;
const sizeOf = (jpeg: Uint8Array): object => imageSize(jpeg);

it('makes of each what it would make of it alone, in one process', async () => {
  const alone: Buffer[] = [];
  for (const jpeg of pictures) {
    const own = new AbortController();
    alone.push(await createScaler(own.signal)(jpeg, SIZE));
    own.abort();
  }
  await expect.poll(processes).toBe(0);
  for (const jpeg of alone) expect(sizeOf(jpeg)).toMatchObject({ type: 'jpg', ...SIZE });
  expect(new Set(alone.map((jpeg) => jpeg.toString('base64'))).size).toBe(KINDS.length);
  const order = [0, 1, 2, 3, 1, 0, 3, 2];
  const together = await Promise.all(order.map((place) => scale(picture(place), SIZE)));
  expect(together.map((jpeg, number) => jpeg.equals(alone[order[number] ?? 0] ?? Buffer.alloc(0)))).toEqual(order.map(() => true));
  expect(processes()).toBe(1);
});

it('goes on after what is no picture, and after one that is torn', async () => {
  const good = await scale(picture(0), SIZE);
  const asked = [Buffer.from('no picture'), picture(0), Buffer.alloc(0), picture(1), picture(0).subarray(0, 700), picture(0)].map((jpeg) => scale(jpeg, SIZE).catch(() => null));
  const [rubbish, second, nothing, third, , last] = await Promise.all(asked);
  expect([rubbish, nothing]).toEqual([null, null]);
  for (const jpeg of [second, last]) expect(jpeg?.equals(good)).toBe(true);
  expect(sizeOf(third ?? Buffer.alloc(0))).toMatchObject(SIZE);
});

it('keeps few processes, however many sizes are asked for', async () => {
  for (let width = 32; width < 44; width += 2) expect(sizeOf(await scale(picture(0), { width, height: 18 }))).toMatchObject({ width, height: 18 });
  await expect.poll(processes, { timeout: 5000 }).toBeLessThanOrEqual(4);
});

it('says so when it has ended, and when ffmpeg has been killed', async () => {
  await scale(picture(0), SIZE);
  for (const { command, pid } of descendants(process.pid)) if (command === 'ffmpeg') process.kill(pid, 'SIGKILL');
  // Of those who ask before that is known one is told, the others go on.
  const after = await Promise.allSettled([0, 1, 2].map((place) => scale(picture(place), SIZE)));
  expect(after.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(2);
  ended.abort(new Error('the end'));
  await expect(scale(picture(0), SIZE)).rejects.toThrow('the end');
});
