/** How long after a batch's last frame its record is on the disk, the model's own time left out, through the real app. */
import { cp, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from '../../dist/app.js';
import { createLog } from '../../dist/lib/log.js';
import { openAnimals } from '../harness/animals.mjs';
import { digits, median } from '../harness/numbers.mjs';

const STREAMS = 3;
/** Key frames come this often, so each is a frame and nothing waits for the next. */
const INTERVAL = 2;

export const lines = {
  latency: { what: 'last frame captured to record on disk, without the model call', atMost: 100, unit: 'ms' },
};

export async function measure(column, { quick, say, cache, config, signal }) {
  const wanted = quick ? 3 : 15;
  const batch_size = quick ? 3 : 10;
  const folder = join(column.folder, 'latency');
  await mkdir(join(folder, 'data'), { recursive: true });
  // Its environment is built before, so that the app finds it.
  await (await openAnimals(column, cache, config, signal)).close();
  await symlink(join(cache, 'runtimes'), join(folder, 'data/runtimes'));
  if (column.weights) await cp(column.weights, join(folder, 'models/animals'), { recursive: true });

  const cameras = await column.street(STREAMS);
  const app = await createApp({
    ...config, batch_size, interval_seconds: INTERVAL, offline: true,
    data_dir: join(folder, 'data'), frames_dir: join(folder, 'frames'), models_dir: join(folder, 'models'),
    predictions: join(folder, 'data/predictions.json'), camera_data: join(folder, 'data/camera_data.csv'),
  }, createLog({ level: 'warn', format: 'text' }));
  try {
    const delays = [];
    const firsts = new Set();
    let detector = '';
    const enough = new Promise((resolve) => {
      app.onRecord(({ batch, models }) => {
        const now = Date.now();
        // The first record of a session waits for the runner's start.
        const first = !firsts.has(batch.session);
        firsts.add(batch.session);
        if (first) return;
        ({ detector } = models.animals);
        delays.push(now - Date.parse(batch.ended_at) - models.animals.inference_ms);
        if (delays.length === wanted) resolve();
      });
    });
    for (let index = 0; index < STREAMS; index += 1) {
      await app.streams.start({ camera_id: `CAM-${index + 1}`, url: cameras.urls[index], models: ['animals'] });
      // Batches that meet at the model would wait for each other.
      await sleep((batch_size * INTERVAL * 1000) / STREAMS);
    }
    const patience = ((wanted / STREAMS + 3) * batch_size * INTERVAL + 30) * 1000;
    await Promise.race([enough, sleep(patience, undefined, { signal })]);
    if (delays.length < wanted) throw new Error(`only ${delays.length} of ${wanted} records came within ${patience / 1000} s`);
    say(`${detector}: ${digits(median(delays))} ms, ${digits(Math.min(...delays))} to ${digits(Math.max(...delays))} ms in ${delays.length} records`);
    return { latency: median(delays) };
  } finally {
    await app.close();
    await cameras.close();
    await rm(folder, { recursive: true, force: true });
  }
}
