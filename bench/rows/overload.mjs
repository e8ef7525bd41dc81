/**
 * What overload does: all of Lookout for five minutes of real time with models that sleep, each asked for more than it can,
 * beside one that keeps up. Cameras are folders of pictures.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addSleeping } from '../harness/models.mjs';
import { digits, median } from '../harness/numbers.mjs';
import { pictures, reel } from '../harness/pictures.mjs';
import { openServer, streamsOf } from '../harness/server.mjs';

const CAMERAS = 20;
/** What is asked of them, over what they can do. */
const LOADS = [1.2, 3, 10];
/** Of the model with the least to do, which sleeps least. */
const FRAME_MS = 50;
const INTERVAL = (CAMERAS * FRAME_MS) / 1000 / LOADS[0];
/** Ages are measured with other cameras, which bring a frame as rarely as usual. */
const SLOW_INTERVAL = 3;
const SLOW_LOAD = 2;
/** Until doors are full and the turns of cameras have come round. */
const WARM = 30;

export const oncePerRun = true;

export const lines = {
  goodput: { what: `looks at ${LOADS.join(', ')} times capacity beside a fast model, over the capacity: the least`, atLeast: 0.95 },
  fairness: { what: `there in five minutes: the least served of ${CAMERAS} cameras over the mean: the least`, atLeast: 0.8 },
  age: { what: `age of a look when it is done, at ${SLOW_LOAD} times capacity, a frame every ${SLOW_INTERVAL} s, median`, atMost: 6, unit: 's' },
};

export async function measure(column, { quick, say }) {
  const window = quick ? 30 : 300;
  const root = join(column.folder, 'overload');
  await mkdir(root);
  const models = LOADS.map((load) => ({ name: `asked-for-${String(load).replace('.', '-')}-times-as-much`, load, ms: (FRAME_MS * load) / LOADS[0] }));
  for (const { name, ms } of models) await addSleeping(root, name, ms);
  await addSleeping(root, 'fast', 2);
  const slow = await addSleeping(root, 'slow', (SLOW_LOAD * SLOW_INTERVAL * 1000) / CAMERAS);
  const names = ['fast', ...models.map(({ name }) => name)];
  const url = await reel(await pictures(column.clip, root, 10, 640), join(root, 'reel'), Math.ceil((window + 2 * WARM + 60) / INTERVAL));
  const server = await openServer(root, {
    streams: [
      ...streamsOf(url, CAMERAS, { models: names, options: { interval_seconds: INTERVAL } }),
      ...streamsOf(url, CAMERAS, { prefix: 'SLOW', models: ['slow'], options: { interval_seconds: SLOW_INTERVAL } }),
    ],
  });
  try {
    await server.looking([...names, 'slow'], 60);
    await sleep(WARM * 1000);
    const began = Date.now();
    const looksAt = async (name) => looksByCamera(await server.model(name));
    const before = await Promise.all(names.map(looksAt));
    const startedAt = performance.now();
    await sleep(window * 1000);
    const after = await Promise.all(names.map(looksAt));
    const seconds = (performance.now() - startedAt) / 1000;
    const served = names.map((_, index) => after[index].map((looks, camera) => looks - before[index][camera]));
    const figures = models.map(({ load, ms }, index) => {
      const own = served[index + 1];
      const figure = { goodput: sum(own) / seconds / (1000 / ms), fairness: Math.min(...own) / (sum(own) / CAMERAS) };
      say(`${load} times: ${digits(sum(own) / seconds)} looks/s of ${digits(1000 / ms)}, ${Math.min(...own)} to ${Math.max(...own)} by camera; ${digits(figure.goodput)} and ${digits(figure.fairness)}`);
      return figure;
    });
    const ages = (await slow.calls()).filter((call) => call.began >= began).flatMap(({ ended, frames }) => frames.map(({ captured_at }) => (ended - Date.parse(captured_at)) / 1000));
    say(`the fast one ${digits(sum(served[0]) / seconds)} looks/s of ${digits(CAMERAS / INTERVAL)}; ages ${digits(Math.min(...ages))} to ${digits(Math.max(...ages))} s`);
    return {
      goodput: Math.min(...figures.map(({ goodput }) => goodput)), fairness: Math.min(...figures.map(({ fairness }) => fairness)), age: median(ages),
    };
  } finally {
    await server.close();
    await rm(root, { recursive: true, force: true });
  }
}

const sum = (values) => values.reduce((all, value) => all + value, 0);

function looksByCamera({ cameras }) {
  return Array.from({ length: CAMERAS }, (_, index) => cameras[`CAM-${index + 1}`]?.looked ?? 0);
}
