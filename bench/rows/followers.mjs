/** What followers cost the road: records beside four whose targets are dead, over none; and how fast one catches up. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from '../../dist/app.js';
import { loadConfig } from '../../dist/config/load.js';
import { createLog } from '../../dist/lib/log.js';
import { hasBroker, openBroker } from '../harness/broker.mjs';
import { addSleeping } from '../harness/models.mjs';
import { digits, median } from '../harness/numbers.mjs';
import { pictures, reel } from '../harness/pictures.mjs';

const STREAMS = 8;
const INTERVAL = 1;
/** Nobody listens there. */
const DEAD = [
  { name: 'a', type: 'webhook', logs: ['records', 'events'], url: 'http://127.0.0.1:9/' },
  { name: 'b', type: 'mqtt', logs: ['records', 'events'], url: 'mqtt://127.0.0.1:9' },
  { name: 'c', type: 'postgres', logs: ['records', 'events'], url: 'postgres://nobody@127.0.0.1:9/none' },
  { name: 'd', type: 's3', logs: ['records', 'events'], bucket: 'nowhere', endpoint: 'http://127.0.0.1:9', region: 'nowhere', access_key_id: 'nobody', secret_access_key: 'nobodys-secret' },
];

export const oncePerRun = true;
export const lines = {
  dead: { what: `record latency, ${STREAMS} streams, with four followers whose targets are dead, over none`, atMost: 1.05 },
  catchUp: { what: 'records without snapshots delivered to Mosquitto from the log, a second', atLeast: 1000, unit: '/s' },
};

export async function measure(column, { quick, say }) {
  const root = join(column.folder, 'followers');
  await mkdir(root);
  try {
    await addSleeping(root, 'sleeping', 5);
    const times = quick ? { seconds: 20, pairs: 1 } : { seconds: 60, pairs: 4 };
    const url = await reel(await pictures(column.clip, root, 10), join(root, 'reel'), Math.ceil((times.seconds + 30) / INTERVAL));
    const ratios = [];
    for (let pair = 0; pair < times.pairs; pair += 1) {
      const [dead, none] = pair % 2 === 0 ? [await latency(DEAD), await latency([])] : [await latency([]), await latency(DEAD)].reverse();
      say(`${digits(dead)} ms with dead followers, ${digits(none)} ms without, median`);
      ratios.push(dead / none);
    }
    return { dead: median(ratios), catchUp: hasBroker ? await catchUp(quick ? 20_000 : 100_000) : null };

    /** Milliseconds from the last frame of a batch to its record, median. */
    async function latency(followers) {
      const app = await open(join(root, `run-${Date.now()}`), { followers, models_dir: join(root, 'models') });
      const delays = [];
      try {
        app.onRecord(({ batch }) => { delays.push(Date.now() - Date.parse(batch.ended_at)); });
        for (let index = 0; index < STREAMS; index += 1) await app.streams.start({ camera_id: `CAM-${index + 1}`, url, models: ['sleeping'] });
        await sleep(times.seconds * 1000);
      } finally {
        await app.close();
      }
      return median(delays.slice(STREAMS));
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }

  async function catchUp(count) {
    const folder = join(root, 'behind');
    await mkdir(join(folder, 'data'), { recursive: true });
    const record = (n) => {
      const captured_at = new Date(Date.UTC(2025, 0, 1) + n * 1000).toISOString();
      const detections = Array.from({ length: 10 }, (_, frame) => ({ frame, class: 'dog', confidence: 0.5, box: [10, 10, 90, 80] }));
      return JSON.stringify({ schema_version: 1, basic: { camID: 'CAM' }, stray_animal: { complaint: true, detections }, batch: { id: `CAM_01234567-${n}`, frames: [{ index: 0, captured_at }] }, models: { animals: {} } });
    };
    await writeFile(join(folder, 'data/predictions.ndjson'), Array.from({ length: count }, (_, n) => `${record(n)}\n`).join(''));
    const broker = await openBroker(folder);
    const app = await open(folder, { format: 'ndjson', predictions: join(folder, 'data/predictions.ndjson'), followers: [{ name: 'all', type: 'mqtt', url: broker.url, logs: ['records'], from: 'beginning', home_assistant: null }] });
    try {
      const begun = performance.now();
      for (;;) {
        const [{ delivered }] = await app.face.followers();
        if (delivered >= count) break;
        await sleep(100);
      }
      const seconds = (performance.now() - begun) / 1000;
      say(`${count} records in ${digits(seconds)} s`);
      return count / seconds;
    } finally {
      await app.close();
      await broker.close();
    }
  }
}

/** All of Lookout in this process, its followers begun. */
async function open(folder, more) {
  await mkdir(join(folder, 'data'), { recursive: true });
  const { followers, ...flags } = more;
  await writeFile(join(folder, 'data/lookout.yaml'), JSON.stringify({ followers, allow_schemes: ['file'], interval_seconds: INTERVAL, batch_size: 2, keep_frames: 'none', offline: true }));
  const { config } = await loadConfig({ flags, env: {}, cwd: folder });
  const app = await createApp(config, createLog({ level: 'error', format: 'text', write: () => undefined }));
  await app.follow();
  return app;
}
