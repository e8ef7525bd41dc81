/** Pictures with what was found drawn in, by a real ffmpeg. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDrawer } from '../../src/record/drawer.ts';
import type { Box } from '../../src/types.ts';

const SIZE = { width: 160, height: 120 };
const never = new AbortController().signal;
let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout drawer-'));
  file = join(folder, 'it\'s a picture.jpg');
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'color=gray:size=160x120:rate=1', '-frames:v', '1', file]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const dog = (box: Box): readonly { class: string; confidence: number; box: Box }[] => [{ class: 'dog', confidence: 0.5, box }];

/** Whether it is red there. */
function looker(jpeg: Uint8Array | null): (x: number, y: number) => boolean {
  const pixels = execFileSync('ffmpeg', ['-v', 'error', '-f', 'mjpeg', '-i', 'pipe:0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'], { input: jpeg ?? Buffer.alloc(0) });
  expect(pixels).toHaveLength(3 * SIZE.width * SIZE.height);
  return (x, y) => {
    const [red = 0, green = 0] = pixels.subarray(3 * (y * SIZE.width + x));
    return red > green + 60;
  };
}

it('shows a box with its class, and the rest as it was', async () => {
  const isRed = looker(await createDrawer()(file, dog([40, 40, 120, 100]), SIZE, never));
  expect([isRed(41, 70), isRed(118, 70), isRed(80, 99), isRed(41, 33)]).toEqual([true, true, true, true]);
  expect([isRed(80, 70), isRed(20, 20), isRed(140, 110)]).toEqual([false, false, false]);
});

it('knows a picture that is gone, and one that is none', async () => {
  const draw = createDrawer();
  expect(await draw(join(folder, 'none.jpg'), dog([0, 0, 9, 9]), SIZE, never)).toBeNull();
  const torn = join(folder, 'torn.jpg');
  await writeFile(torn, 'no picture at all');
  await expect(draw(torn, dog([0, 0, 9, 9]), SIZE, never)).rejects.toMatchObject({ code: 'bad_frame' });
});

it('is made four at a time, and given up when nobody wants it any more', async () => {
  const draw = createDrawer();
  const asked = new AbortController();
  const four = Promise.allSettled(Array.from({ length: 4 }, () => draw(file, dog([1, 1, 9, 9]), SIZE, asked.signal)));
  await expect(draw(file, dog([1, 1, 9, 9]), SIZE, never)).rejects.toMatchObject({ code: 'too_many_at_once' });
  asked.abort();
  expect((await four).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
  expect(await draw(join(folder, 'none.jpg'), dog([1, 1, 9, 9]), SIZE, never)).toBeNull();
});
