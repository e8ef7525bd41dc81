/** What cameras cost that push their pictures: over a server that does nothing but write them to files. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { over } from '../harness/capturing.mjs';
import { digits, median } from '../harness/numbers.mjs';
import { readLines, startOwn, stop } from '../harness/programs.mjs';
import { pictureOf, pushCameras, startPushing } from '../harness/pushing.mjs';
import { openServer } from '../harness/server.mjs';

const CAMERAS = 100;
const BYTES = 200_000;
const PER_SECOND = 1;

/** What is done with the pictures. */
const WAYS = {
  each: { options: { interval_seconds: 0 }, settings: { snapshot: 'none' } },
  usual: { options: { interval_seconds: 3 }, settings: {} },
};

export const oncePerRun = true;
const words = (what) => ({ what: `${CAMERAS} cameras that push ${PER_SECOND} picture/s of ${BYTES / 1000} kB, ${what}: CPU over a bare node:http server that writes them to files`, atMost: 1.5 });
export const lines = { each: words('every picture a frame, recorded without a snapshot'), usual: words('a frame every 3 s, recorded with its snapshot') };

export async function measure(column, { quick, say }) {
  // Until it is compiled what is run so often, half a minute goes by.
  const times = quick ? { warm: 20, window: 10, rounds: 1 } : { warm: 45, window: 30, rounds: 3 };
  const root = join(column.folder, 'push');
  await mkdir(root);
  try {
    const picture = await pictureOf(BYTES, root);
    const ratios = { each: [], usual: [] };
    for (let round = 0; round < times.rounds; round += 1) {
      const bare = await receiving();
      for (const [name, way] of Object.entries(WAYS)) {
        const cpu = await lookout(way);
        say(`${name}: ${digits(cpu)} ms of a processor for each picture, bare ${digits(bare)} ms`);
        ratios[name].push(cpu / bare);
      }
    }
    return Object.fromEntries(Object.entries(ratios).map(([name, all]) => [name, median(all)]));

    async function receiving() {
      const folder = join(root, 'bare');
      await mkdir(folder);
      const child = startOwn('receiving', [folder]);
      try {
        const [url] = await readLines(child, 1);
        return await pushed(child.pid, Array.from({ length: CAMERAS }, () => ({ url, headers: {} })));
      } finally {
        await stop(child);
        await rm(folder, { recursive: true });
      }
    }

    async function lookout({ options, settings }) {
      const folder = join(root, 'lookout');
      const { streams, targets } = await pushCameras(folder, CAMERAS, options);
      const server = await openServer(folder, { settings, streams });
      try {
        return await pushed(server.pid, targets(server.url));
      } finally {
        await server.close();
        await rm(folder, { recursive: true });
      }
    }

    /** Of the processor, milliseconds for each picture that was answered: a busy machine answers fewer. */
    async function pushed(pid, targets) {
      const cameras = startPushing(picture, PER_SECOND, targets);
      try {
        await sleep(times.warm * 1000);
        await cameras.answered();
        const cpu = await over({ ...times, warm: 0 }, () => [pid]);
        return (1000 * cpu) / (await cameras.answered()).length;
      } finally {
        await cameras.close();
      }
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
