/** A camera on demand, which counts who connects to it. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, describe, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { startRelay, type Relay } from '../../src/demo/relay.ts';
import { startTestApp, until, type TestApp } from '../helpers/app.ts';
import { hasLibav } from '../sources/feeds/native/clips.ts';

const never = new AbortController().signal;
const DEADLINE_MS = 20_000;

describe.skipIf(!hasLibav)('a camera on demand (missed where the binary of node-av is absent)', () => {
  let camera: DemoCamera;
  let relay: Relay;
  let lookout: TestApp;
  beforeAll(async () => {
    camera = await startDemoCamera({ cameras: { gate: { kind: 'scene', width: 320, height: 180, fps: 15, keyframe_seconds: 1 } } }, never);
    relay = await startRelay(camera.url('gate'));
    lookout = await startTestApp({ capture_engine: 'libav' });
  });
  afterAll(async () => {
    await lookout.close();
    await relay.close();
    await camera.close();
  });

  const get = (path: string, signal: AbortSignal = never): Promise<Response> => fetch(`${lookout.url}/api/cameras/gate/${path}`, { signal });
  const firstOf = async (answer: Promise<Response>): Promise<Buffer> => {
    const { status, body } = await answer;
    expect(status).toBe(200);
    const reader = body?.getReader();
    return Buffer.from((await reader?.read())?.value ?? []);
  };

  it('is connected to once, while somebody looks, and recorded meanwhile', async () => {
    expect(await lookout.post('/start_stream', { camera_id: 'gate', rtsp_url: relay.url, model_name: 'motion', interval_seconds: 0.5, batch_size: 100, on_demand: true, linger_seconds: 0.3 })).toMatchObject({ status: 200, body: { status: 'started' } });
    await sleep(200);
    expect(lookout.stream('gate')).toMatchObject({ state: 'asleep', capturing: false });
    expect((await get('latest.jpg?wake=false')).status).toBe(404);
    expect(await lookout.post('/api/cameras/gate/clips', {})).toMatchObject({ status: 404, body: { error: expect.stringContaining('asleep') as string } });
    expect((await fetch(`${lookout.url}/readyz`)).status).toBe(200);
    expect(relay.connections).toEqual({ inAll: 0, atOnce: 0 });

    const viewers = new AbortController();
    const [picture, video, parts] = await Promise.all([
      get('latest.jpg').then(async (answer) => Buffer.from(await answer.arrayBuffer())), firstOf(get('live.mp4', viewers.signal)), firstOf(get('stream.mjpeg', viewers.signal)),
    ]);
    expect(picture.subarray(0, 2).toString('hex')).toBe('ffd8');
    expect(video.subarray(4, 8).toString()).toBe('ftyp');
    expect(parts.toString('latin1')).toMatch(/^--picture\r\nContent-Type: image\/jpeg/);
    expect((await fetch(`${lookout.url}/readyz`)).status).toBe(200);
    await sleep(800);
    expect(lookout.stream('gate')).toMatchObject({ state: 'running', capturing: true });
    expect(relay.connections).toEqual({ inAll: 1, atOnce: 1 });

    viewers.abort();
    await until(async () => {
      // Tiles of the page keep nobody awake.
      await get('latest.jpg?wake=false');
      return lookout.stream('gate').state === 'asleep';
    }, DEADLINE_MS, () => lookout.log());
    expect(relay.connections.inAll).toBe(1);
    const [record] = await lookout.records('gate', 1, DEADLINE_MS);
    expect(record?.batch.closed_by).toBe('stopped');
    const shown = await get('latest.jpg?wake=false');
    expect([shown.status, shown.headers.get('x-frame-time')]).toEqual([200, lookout.app.face.latest('gate')?.captured_at]);
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(await readFile(lookout.app.face.latest('gate')?.file ?? ''));
    expect(relay.connections.inAll).toBe(1);
  });

  it('is woken by each of those who watch', async () => {
    for (const [path, number] of [['live.mp4', 2], ['stream.mjpeg', 3]] as const) {
      const viewer = new AbortController();
      expect((await firstOf(get(path, viewer.signal))).length).toBeGreaterThan(0);
      viewer.abort();
      await until(() => lookout.stream('gate').state === 'asleep', DEADLINE_MS, () => lookout.log());
      expect(relay.connections.inAll).toBe(number);
    }
  });
});
