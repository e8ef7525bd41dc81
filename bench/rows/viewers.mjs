/** Whether those who watch a camera that pushes hold up its pictures: how late uploads are answered, over nobody watching. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digits, quantile } from '../harness/numbers.mjs';
import { readLines, startOwn, stop } from '../harness/programs.mjs';
import { pictureOf, startPushing } from '../harness/pushing.mjs';
import { openServer } from '../harness/server.mjs';

const CAMERA = 'CAM-1';
const PASSWORD = 'of the benchmark';
const BYTES = 100_000;
const PER_SECOND = 10;
/** Until what only happens at the beginning is over: of connections, and of programs that are new. */
const WARM_SECONDS = 3;
/** Shorter than it takes until those are cut off who read nothing. */
const BLOCK_SECONDS = 20;
/** As many as may watch one camera by its own stream; the others do as the push-frame server's clients do. */
const VIEWERS = [{ path: `/api/cameras/${CAMERA}/stream.mjpeg`, count: 8, idle: 2 }, { path: '/stream', count: 42, idle: 8 }];

export const oncePerRun = true;
export const lines = {
  uploads: { what: `50 MJPEG viewers of a camera that pushes ${PER_SECOND} pictures/s of ${BYTES / 1000} kB, 10 reading nothing: uploads answered, p99 over none watching`, atMost: 1.2 },
};

export async function measure(column, { quick, say }) {
  const pairs = quick ? 1 : 6;
  const root = join(column.folder, 'viewers');
  await mkdir(root);
  const picture = await pictureOf(BYTES, root);
  const server = await openServer(root, {
    settings: { push_camera: CAMERA, camera_password: PASSWORD, snapshot: 'none' },
    streams: [{ camera_id: CAMERA, url: 'push:', models: [], options: { interval_seconds: 0 } }],
  });
  try {
    const [none, watched] = [[], []];
    for (let pair = 0; pair < pairs; pair += 1) {
      none.push(...await block([]));
      watched.push(...await block(VIEWERS));
      for (const [name, all] of Object.entries({ none, watched })) say(`${name}: ${all.length} uploads, median ${digits(quantile(all, 0.5))} ms, p99 ${digits(quantile(all, 0.99))} ms`);
    }
    return { uploads: quantile(watched, 0.99) / quantile(none, 0.99) };
  } finally {
    await server.close();
    await rm(root, { recursive: true, force: true });
  }

  /** Milliseconds until each answer, while so many watch. */
  async function block(viewers) {
    // One after the other, so that the stream runs and shows something before anybody watches.
    const camera = startPushing(picture, PER_SECOND, [{ url: `${server.url}/api/upload_frame`, headers: { 'X-Camera-Auth': PASSWORD } }]);
    await sleep(1000);
    const watching = viewers.map(({ path, count, idle }) => startOwn('viewers', [String(count), `${server.url}${path}`], { env: { IDLE: String(idle) } }));
    try {
      await sleep(WARM_SECONDS * 1000);
      await camera.answered();
      await sleep(BLOCK_SECONDS * 1000);
      const answered = await camera.answered();
      for (const child of watching) {
        child.stdin.end();
        const { least } = JSON.parse((await readLines(child, 1))[0]);
        if (least < BYTES) throw new Error('a viewer was given no picture: nothing can be said about what it costs');
      }
      return answered;
    } finally {
      for (const child of watching) await stop(child);
      await camera.close();
    }
  }
}
