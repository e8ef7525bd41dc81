/** How long after a batch's last frame its record is on the disk, that frame's call left out, through the real app. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from '../../dist/app.js';
import { createLog } from '../../dist/lib/log.js';
import { lendAnimals } from '../harness/animals.mjs';
import { addWatchedAnimals } from '../harness/models.mjs';
import { digits, quantile } from '../harness/numbers.mjs';

const STREAMS = 4;
/** Key frames come this often, so each is a frame and nothing waits for the next. */
const INTERVAL = 2;
/** Small ones, so that there are many in a few minutes: the frames before the last have nothing to do with it. */
const BATCH_SIZE = 2;
/**
 * A camera's least delayed picture of the last minute says when the others were taken, and cameras that begin with a burst
 * have one that came early: until it is forgotten pictures count as older than they are.
 */
const WARM_SECONDS = 60;

export const lines = {
  latency: { what: 'last frame captured to record on disk, without the call of that frame, median', atMost: 60, unit: 'ms' },
  slowest: { what: 'the same, p95', atMost: 150, unit: 'ms' },
};

export async function measure(column, { quick, say, cache, config, signal }) {
  const [wanted, warm] = quick ? [10, 5] : [200, WARM_SECONDS];
  const root = join(column.folder, 'latency');
  await mkdir(root);
  await lendAnimals(column, root, cache, config, signal);
  const animals = await addWatchedAnimals(root, column.weights);
  const cameras = await column.street(STREAMS);
  const app = await createApp({
    ...config, batch_size: BATCH_SIZE, interval_seconds: INTERVAL, offline: true,
    data_dir: join(root, 'data'), frames_dir: join(root, 'frames'), models_dir: join(root, 'models'),
    predictions: join(root, 'data/predictions.json'), camera_data: join(root, 'data/camera_data.csv'),
  }, createLog({ level: 'error', format: 'text' }));
  try {
    const recorded = [];
    const started = new Map();
    let detector = '';
    const enough = new Promise((resolve) => {
      app.onRecord(({ batch, models }) => {
        const at = performance.timeOrigin + performance.now();
        if (!started.has(batch.session)) started.set(batch.session, at);
        if (at < started.get(batch.session) + warm * 1000) return;
        ({ detector } = models.animals);
        recorded.push({ at, stream: batch.session, last: Date.parse(batch.ended_at) });
        if (recorded.length === wanted) resolve();
      });
    });
    for (let index = 0; index < STREAMS; index += 1) {
      await app.streams.start({ camera_id: `CAM-${index + 1}`, url: cameras.urls[index], models: ['animals'] });
      // Frames that meet at the model would wait for each other: the cameras' key frames follow their start.
      await sleep(((index === 0 ? 2 : 1) + 1 / STREAMS) * INTERVAL * 1000);
    }
    const patience = ((wanted / STREAMS + 3) * BATCH_SIZE * INTERVAL + warm + 30) * 1000;
    await Promise.race([enough, sleep(patience, undefined, { signal })]);
    if (recorded.length < wanted) throw new Error(`only ${recorded.length} of ${wanted} records came within ${patience / 1000} s`);
    const calls = callOf(await animals.calls());
    const delays = recorded.map(({ at, stream, last }) => {
      const { began, ended } = calls.get(`${stream} ${last}`) ?? { began: NaN, ended: NaN };
      return { before: began - last, after: at - ended, call: ended - began };
    });
    const inAll = delays.map(({ before, after }) => before + after);
    const half = (name) => digits(quantile(delays.map((delay) => delay[name]), 0.5));
    const [median, slowest] = [0.5, 0.95].map((share) => quantile(inAll, share));
    say(`${detector}: ${digits(median)} ms, p95 ${digits(slowest)}, in ${inAll.length} records; ${half('before')} ms to the call, ${half('call')} ms in it, ${half('after')} ms from it`);
    return { latency: median, slowest };
  } finally {
    await app.close();
    await cameras.close();
    await rm(root, { recursive: true, force: true });
  }
}

/** The call that each frame was in, by stream and time of capture. */
function callOf(calls) {
  return new Map(calls.flatMap((call) => call.frames.map(({ stream, captured_at }) => [`${stream} ${Date.parse(captured_at)}`, call])));
}
