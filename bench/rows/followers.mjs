/** What followers cost the road: records beside four whose targets are dead, over none. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openApp } from '../harness/app.mjs';
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
};

export async function measure(column, { quick, say }) {
  const root = join(column.folder, 'followers');
  await mkdir(root);
  try {
    await addSleeping(root, 'sleeping', 5);
    const times = quick ? { seconds: 20, pairs: 1 } : { seconds: 60, pairs: 4 };
    const url = await reel(await pictures(column.clip, root, 10), join(root, 'reel'), Math.ceil((times.seconds + 30) / INTERVAL));
    // Of one run the median is off by a tenth now and then: what is compared is that of all.
    const all = { dead: [], none: [] };
    for (let pair = 0; pair < times.pairs; pair += 1) {
      const [dead, none] = pair % 2 === 0 ? [await latencies(DEAD), await latencies([])] : [await latencies([]), await latencies(DEAD)].reverse();
      say(`${digits(median(dead))} ms with dead followers, ${digits(median(none))} ms without, median`);
      all.dead.push(...dead);
      all.none.push(...none);
    }
    return { dead: median(all.dead) / median(all.none) };

    /** Milliseconds from the last frame of each batch to its record. */
    async function latencies(followers) {
      const app = await openApp(join(root, `run-${Date.now()}`), { followers, models_dir: join(root, 'models'), allow_schemes: ['file'], interval_seconds: INTERVAL, batch_size: 2 });
      const delays = [];
      try {
        app.onRecord(({ batch }) => { delays.push(Date.now() - Date.parse(batch.ended_at)); });
        for (let index = 0; index < STREAMS; index += 1) await app.streams.start({ camera_id: `CAM-${index + 1}`, url, models: ['sleeping'] });
        await sleep(times.seconds * 1000);
      } finally {
        await app.close();
      }
      return delays.slice(STREAMS);
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
