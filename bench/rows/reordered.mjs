/** What B-frames cost: capture of cameras that send them, over the same that do not. */
import { join } from 'node:path';
import { makeClip } from '../../dist/demo/index.js';
import { capturing } from '../harness/capturing.mjs';
import { ownCameras } from '../harness/cameras.mjs';
import { CAMERA } from '../harness/columns.mjs';
import { digits, median } from '../harness/numbers.mjs';

const CAMERAS = 10;

export const oncePerRun = true;
export const lines = {
  reordered: { what: `capture CPU: ${CAMERAS} cameras with B-frames over the same without`, atMost: 1.15 },
};

export async function measure(column, { quick, say, signal }) {
  const times = quick ? { warm: 6, window: 8, pairs: 1 } : { warm: 10, window: 30, pairs: 3 };
  const clip = join(column.folder, 'reordered.mp4');
  await makeClip(clip, { ...CAMERA, b_frames: 3 }, signal);
  const ratios = [];
  for (let pair = 0; pair < times.pairs; pair += 1) {
    const [plain, reordered] = [await cost(column.clip), await cost(clip)];
    say(`${digits(reordered)} s with B-frames, ${digits(plain)} s without, in ${times.window} s`);
    ratios.push(reordered / plain);
  }
  return { reordered: median(ratios) };

  async function cost(file) {
    const cameras = await ownCameras(file, CAMERAS);
    try {
      return (await capturing('libav', cameras.urls, column.folder, times)).cpu;
    } finally {
      await cameras.close();
    }
  }
}
