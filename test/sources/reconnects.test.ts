/** A camera that ends every connection: what so many leave behind. */
import { readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DemoCamera, faultOf, type Relay, startDemoCamera, startRelay } from '../../src/demo/index.ts';
import { captureFrames } from '../../src/sources/ffmpeg/capture.ts';
import { descendants } from '../helpers/process-tree.ts';
import { inFull } from '../promises/figures.ts';
import { capture, failureOf, firstFrames, never, PICTURES, streamOf } from './streams.ts';

const CONNECTIONS = inFull ? 1000 : 40;
const AT_ONCE = 8;

let folder: string;
let camera: DemoCamera;
let relay: Relay;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-reconnects-'));
  camera = await startDemoCamera({ cameras: { street: { kind: 'scene', width: 160, height: 90, keyframe_seconds: 1 } } }, never);
  relay = await startRelay(camera.url('street'));
});
afterAll(async () => {
  await relay.close();
  await camera.close();
  await rm(folder, { recursive: true });
});

it(`leaves no process, descriptor or file of ${CONNECTIONS} connections`, { timeout: inFull ? 900_000 : 120_000 }, async () => {
  await firstFrames(capture(relay.url, { interval_seconds: 1 }), 1);
  const held = (): unknown => ({ processes: descendants(process.pid).filter(({ command }) => command === 'ffmpeg').length, descriptors: readdirSync('/proc/self/fd').length });
  await expect.poll(held).toMatchObject({ processes: 1 });
  const before = held();
  await relay.become(faultOf('reset-on-play'));
  const codes = new Set<string>();
  await Promise.all(Array.from({ length: AT_ONCE }, async (_, lane) => {
    for (let connection = 0; connection < CONNECTIONS / AT_ONCE; connection += 1) {
      codes.add((await failureOf(captureFrames({ stream: streamOf(relay.url), settings: PICTURES, folder: await mkdtemp(join(folder, `${lane}-`)), realTime: false }, never))).code);
    }
  }));
  expect([...codes]).toEqual(['stream_connect']);
  expect(relay.connections.inAll).toBe(1 + CONNECTIONS);
  await expect.poll(held).toEqual(before);
  for (const own of await readdir(folder)) expect(await readdir(join(folder, own))).toEqual([]);
});
