/** What is told of cameras that are looked at, before anybody starts them. */
import { tmpdir } from 'node:os';
import { imageSize } from 'image-size';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeStream } from '../../src/capture/probe.ts';
import { loadConfig } from '../../src/config/load.ts';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { silentLog } from '../../src/lib/log.ts';
import { createSources } from '../../src/parts.ts';
import type { Config, Probe, ProbeRequest } from '../../src/types.ts';
import { startHttpCamera } from '../helpers/http-camera.ts';
import { alive, descendants } from '../helpers/process-tree.ts';
import { hasLibav } from '../sources/feeds/native/clips.ts';
import { never } from '../sources/streams.ts';
import { PICTURE } from '../store/folder.ts';

const scene = { kind: 'scene', width: 320, height: 180, fps: 20 } as const;
const CAMERAS = {
  plain: { ...scene, keyframe_seconds: 1 },
  bframes: { ...scene, keyframe_seconds: 2, b_frames: 2 },
  rare: { ...scene, keyframe_seconds: 6 },
  h265: { ...scene, fps: 10, keyframe_seconds: 1, codec: 'h265' },
} as const;

interface Parts {
  readonly config: Config;
  readonly sources: Awaited<ReturnType<typeof createSources>>;
}

async function partsWith(settings: Partial<Config>): Promise<Parts> {
  const { config } = await loadConfig({ flags: settings, env: {}, cwd: tmpdir() });
  return { config, sources: await createSources(config, silentLog) };
}

let camera: DemoCamera;
let usual: Parts;
let byFfmpeg: Parts;
beforeAll(async () => {
  camera = await startDemoCamera({ cameras: CAMERAS, auth: { user: 'me', password: 'pass' } }, never);
  [usual, byFfmpeg] = await Promise.all([partsWith({}), partsWith({ capture_engine: 'ffmpeg' })]);
});
afterAll(async () => {
  await Promise.all([...new Set([usual, byFfmpeg].flatMap(({ sources }) => [...sources.values()]))].map((source) => source.close()));
  await camera.close();
});

const look = (request: ProbeRequest, parts = usual, trusted = true): Promise<Probe> => probeStream(request, trusted, parts, never);

const sizeOf = ({ jpeg }: Probe): object => imageSize(jpeg ?? new Uint8Array());

describe.skipIf(!hasLibav).concurrent('by libav (missed where the binary of node-av is absent)', () => {
  it.each([
    ['plain', { codec: 'h264', b_frames: false, capture_mode: 'keyframes' }, 1],
    ['bframes', { codec: 'h264', b_frames: true, capture_mode: 'keyframes' }, 2],
    ['rare', { codec: 'h264', b_frames: false, capture_mode: 'all' }, 6],
    ['h265', { codec: 'h265', b_frames: false, capture_mode: 'keyframes' }, 1],
  ] as const)('%s', async (path, facts, keyFrameSeconds) => {
    const found = await look({ url: camera.url(path, true) });
    expect(found).toMatchObject({ engine: 'libav', width: 320, height: 180, damaged: 0, ...facts });
    const { fps } = CAMERAS[path];
    expect(Math.abs((found.frames_per_second ?? NaN) - fps)).toBeLessThan(fps / 10);
    expect(Math.abs((found.key_frame_seconds ?? NaN) - keyFrameSeconds)).toBeLessThan(0.2);
    expect(found.bits_per_second).toBeGreaterThan(10_000);
    expect(found.picture_ms).toBeGreaterThan(0.1);
    expect(found.first_picture_seconds).toBeLessThan(10);
    expect(sizeOf(found)).toMatchObject({ type: 'jpg', width: 320, height: 180 });
  });

  it('which mode would run depends on the interval', async () => {
    expect(await look({ url: camera.url('rare', true), options: { interval_seconds: 10 } })).toMatchObject({ capture_mode: 'keyframes' });
  });

  it('says why nothing is to be seen', async () => {
    await expect(look({ url: camera.url('plain', true).replace('me:pass', 'me:wrong') })).rejects.toMatchObject({ code: 'stream_auth' });
    await expect(look({ url: camera.url('nothing', true) })).rejects.toMatchObject({ code: 'stream_not_found' });
    await expect(look({ url: 'rtsp://127.0.0.1:9/' })).rejects.toMatchObject({ code: 'stream_connect' });
    await expect(look({ url: 'rtsp://169.254.169.254/' }, usual, false)).rejects.toMatchObject({ code: 'forbidden_address' });
    await expect(look({ url: 'gopher://a/' })).rejects.toMatchObject({ code: 'forbidden_scheme' });
  });

  it('gives up on a camera that is silent, in time, and leaves no process', async () => {
    const silent = await startDemoCamera({ cameras: { quiet: { ...scene, keyframe_seconds: 1 } } }, never);
    try {
      silent.silence('quiet', true);
      const begun = Date.now();
      await expect(look({ url: silent.url('quiet') })).rejects.toMatchObject({ code: 'stream_stalled' });
      expect(Date.now() - begun).toBeLessThan(20_000);
    } finally {
      await silent.close();
    }
  });
});

it('leaves no process of its own', async () => {
  const before = new Set(descendants(process.pid).map(({ pid }) => pid));
  await look({ url: camera.url('plain', true) });
  await expect.poll(() => alive(descendants(process.pid)).filter(({ pid }) => !before.has(pid) && !camera.pids().includes(pid)), { timeout: 5000 }).toEqual([]);
});

it('tells what the first picture shows where ffmpeg captures, and of cameras over HTTP', async () => {
  const found = await look({ url: camera.url('plain', true) }, byFfmpeg);
  expect(found).toMatchObject({ engine: 'ffmpeg', width: 320, height: 180, codec: null, key_frame_seconds: null });
  expect(sizeOf(found)).toMatchObject({ type: 'jpg', width: 320 });
  expect(await look({ url: camera.url('plain', true), options: { transport: 'udp' } })).toMatchObject({ engine: 'ffmpeg' });

  const http = await startHttpCamera((_, response) => { response.writeHead(200, { 'content-type': 'image/jpeg' }).end(PICTURE); });
  try {
    const snapshot = await look({ url: http.url('/snapshot') });
    expect(snapshot).toMatchObject({ engine: null, codec: null, frames_per_second: null });
    expect(Buffer.from(snapshot.jpeg ?? [])).toEqual(PICTURE);
  } finally {
    await http.close();
  }
});
