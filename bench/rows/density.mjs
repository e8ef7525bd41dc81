/** How many cameras one machine takes: none of their pictures late, none let go. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { makeClip } from '../../dist/demo/index.js';
import { ownCameras } from '../harness/cameras.mjs';
import { INTERVAL } from '../harness/capturing.mjs';
import { CAMERA } from '../harness/columns.mjs';
import { digits } from '../harness/numbers.mjs';
import { cpuSeconds } from '../harness/processes.mjs';
import { openServer } from '../harness/server.mjs';

/** Tried one after the other, up to the first that are too many; then half of the way back. */
const COUNTS = [50, 100, 140, 170, 200];
const KEY_FRAME_SECONDS = 2;
const LATEST_SECONDS = INTERVAL + KEY_FRAME_SECONDS + 1;

export const oncePerRun = true;
export const lines = {
  density: { what: `cameras of 720p25 at 1.5 Mbit/s with motion, the RTSP server on the same machine: most without a late picture in five minutes`, atLeast: 200 },
};

export async function measure(column, { quick, say, signal }) {
  const times = quick ? { settle: 20, window: 20, counts: [20, 40] } : { settle: 60, window: 300, counts: COUNTS };
  const clip = join(column.folder, 'density.mp4');
  await makeClip(clip, { ...CAMERA, width: 1280, height: 720, bitrate: '1500k', keyframe_seconds: KEY_FRAME_SECONDS }, signal);
  let most = 0;
  for (const count of times.counts) {
    if (await takes(count)) {
      most = count;
      continue;
    }
    const half = Math.round((most + count) / 2);
    if (await takes(half)) most = half;
    break;
  }
  return { density: most };

  async function takes(count) {
    const { late, processors, rest } = await watch(count, clip, times);
    say(`${count} cameras: ${late} times a picture was late or let go; Lookout ${digits(processors)} processors, the cameras ${digits(rest)}`);
    return late === 0;
  }

  async function watch(count, file, { settle, window }) {
    const cameras = await ownCameras(file, count);
    const server = await openServer(join(column.folder, `density-${count}`), {
      settings: { keep_frames: 'none' },
      streams: cameras.urls.map((url, index) => ({ camera_id: `CAM-${index + 1}`, url, models: ['motion'], options: { interval_seconds: INTERVAL } })),
    });
    try {
      await sleep((settle + count / 4) * 1000);
      const own = () => [cpuSeconds([server.pid]), cpuSeconds([cameras.pid])];
      const before = own();
      const dropped = async () => Object.values((await server.streams()).books.dropped).reduce((all, one) => all + one, 0);
      let late = -await dropped();
      for (const end = performance.now() + window * 1000; performance.now() < end; await sleep(1000)) {
        late += (await server.streams()).streams.filter(({ last_frame_age_seconds: age }) => age === null || age > LATEST_SECONDS).length;
      }
      const after = own();
      late += await dropped();
      const [processors, rest] = after.map((seconds, index) => (seconds - before[index]) / window);
      return { late, processors, rest };
    } finally {
      await server.close();
      await cameras.close();
    }
  }
}
