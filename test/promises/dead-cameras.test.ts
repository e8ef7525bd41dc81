/** Cameras that are not there keep the others from nothing. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { startTestApp, until, type TestApp } from '../helpers/app.ts';
import { inFull, tellFigure } from './figures.ts';

/** As many as a site of some hundred cameras loses with one switch. */
const DEAD = inFull ? [300, 900] : [300];
const PROMISED_MS = 5000;
const INTERVAL_SECONDS = 1;
const WATCHED_MS = inFull ? 60_000 : 5000;

const never = new AbortController().signal;
let camera: DemoCamera;
let mute: Server;
let lookout: TestApp;

beforeAll(async () => {
  camera = await startDemoCamera({ cameras: { street: { kind: 'scene', width: 320, height: 180 } } }, never);
  // Takes everybody in and says nothing.
  mute = createServer(() => undefined);
  await once(mute.listen(0, '127.0.0.1'), 'listening');
  lookout = await startTestApp({ default_models: ['motion'], interval_seconds: INTERVAL_SECONDS, log_level: 'error' });
  // Its generator is running by then.
  await firstPicture('EARLY');
});
afterAll(async () => {
  await lookout.close();
  await camera.close();
  mute.close();
});

async function start(id: string, url: string): Promise<void> {
  const { status } = await lookout.post('/start_stream', { camera_id: id, rtsp_url: url });
  expect(status).toBe(200);
}

/** Milliseconds until a new stream of the camera that is there has its first picture. */
async function firstPicture(id: string): Promise<number> {
  const began = performance.now();
  await start(id, camera.url('street'));
  await until(() => lookout.stream(id).last_frame_at !== null, 90_000, () => `no picture of ${id}: ${lookout.stream(id).reason}`);
  return performance.now() - began;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const captured = (id: string): number => lookout.stream(id).books.captured;

it.for(DEAD)('shows a good camera at once beside %i that are dead, keeps its pace, and shows the next at once when they are removed', { timeout: 240_000 }, async (count) => {
  const { port } = mute.address() as AddressInfo;
  const nowhere = ['rtsp://127.0.0.1:9/x', `rtsp://127.0.0.1:${port}/x`, 'http://127.0.0.1:9/x', `http://127.0.0.1:${port}/x`, 'rtsp://192.0.2.1/x'];
  const ids = Array.from({ length: count }, (_, index) => `DEAD-${index}`);
  await Promise.all(ids.map((id, index) => start(id, nowhere[index % nowhere.length] ?? '')));

  const besideDead = await firstPicture(`GOOD-${count}`);
  const before = captured(`GOOD-${count}`) + captured('EARLY');
  await systemClock.sleep(WATCHED_MS, never);
  const kept = captured(`GOOD-${count}`) + captured('EARLY') - before;
  expect(ids.filter((id) => lookout.stream(id).last_frame_at !== null)).toEqual([]);

  await Promise.all(ids.map((id) => fetch(`${lookout.url}/api/streams/${id}`, { method: 'DELETE' })));
  const afterwards = await firstPicture(`NEXT-${count}`);
  tellFigure('dead', `first picture after ${seconds(besideDead)} beside ${count} dead cameras, ${seconds(afterwards)} after they were removed; ${kept} pictures of ${2 * WATCHED_MS / 1000} due`);
  expect(besideDead).toBeLessThan(PROMISED_MS);
  expect(afterwards).toBeLessThan(PROMISED_MS);
  // Two streams, a picture a second each; one may be late at either end, and one in twenty on a busy machine.
  expect(kept).toBeGreaterThanOrEqual(0.95 * 2 * (WATCHED_MS / 1000) - 2);
});
