/** Cameras that are not there keep the others from nothing. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { startTestApp, until, type TestApp } from '../helpers/app.ts';

/** As many as a site of some hundred cameras loses with one switch. */
const DEAD = 300;
const PROMISED_MS = 5000;
const INTERVAL_SECONDS = 1;
const WATCHED_MS = 10_000;

const never = new AbortController().signal;
let camera: DemoCamera;
let mute: Server;
let lookout: TestApp;

beforeAll(async () => {
  camera = await startDemoCamera({ cameras: { street: { kind: 'scene' } } }, never);
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

const captured = (id: string): number => lookout.stream(id).books.captured;

it('shows a good camera at once beside 300 that are dead, keeps its pace, and shows the next at once when they are removed', async () => {
  const { port } = mute.address() as AddressInfo;
  const nowhere = ['rtsp://127.0.0.1:9/x', `rtsp://127.0.0.1:${port}/x`, 'http://127.0.0.1:9/x', `http://127.0.0.1:${port}/x`, 'rtsp://192.0.2.1/x'];
  const ids = Array.from({ length: DEAD }, (_, index) => `DEAD-${index}`);
  await Promise.all(ids.map((id, index) => start(id, nowhere[index % nowhere.length] ?? '')));

  const besideDead = await firstPicture('GOOD');
  const before = captured('GOOD') + captured('EARLY');
  await systemClock.sleep(WATCHED_MS, never);
  const kept = captured('GOOD') + captured('EARLY') - before;
  expect(new Set(ids.map((id) => lookout.stream(id).state))).toEqual(new Set(['starting', 'reconnecting']));

  await Promise.all(ids.map((id) => fetch(`${lookout.url}/api/streams/${id}`, { method: 'DELETE' })));
  const afterwards = await firstPicture('NEXT');
  expect(besideDead).toBeLessThan(PROMISED_MS);
  expect(afterwards).toBeLessThan(PROMISED_MS);
  // Two streams, a picture a second each.
  expect(kept).toBeGreaterThanOrEqual(2 * (WATCHED_MS / 1000) - 2);
});
