import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { captureFrames } from '../../src/sources/ffmpeg/capture.ts';
import { readBinaryClock } from '../helpers/binary-clock.ts';
import { startRtspRelay } from '../helpers/rtsp-relay.ts';
import { canUse, capture, captureRtsp, closeSources, ENGINES, failureOf, firstFrames, jpegOf, never, PICTURES, streamOf } from './streams.ts';

const SECRET = 'p@s:s/w#o%rd';
const small = { kind: 'scene', width: 320, height: 180, fps: 12, keyframe_seconds: 1 } as const;

let folder: string;
let camera: DemoCamera;
let locked: DemoCamera;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-capture-'));
  const refreshed = join(folder, 'refreshed.mp4');
  await promisify(execFile)('ffmpeg', [
    '-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=320x180:r=12:d=60', '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', '-x264-params', 'intra-refresh=1:keyint=24:bframes=0', refreshed,
  ]);
  [camera, locked] = await Promise.all([
    startDemoCamera({ cameras: { street: small, stalls: small, goes: small, bframes: { ...small, b_frames: 2 }, slow: { ...small, fps: 1, keyframe_seconds: 6 }, rare: { ...small, keyframe_seconds: 7 }, h265: { ...small, fps: 5, codec: 'h265' }, reordered: { ...small, codec: 'h265', b_frames: 2, keyframe_seconds: 3, clock: true }, refreshed: { kind: 'clip', file: refreshed } } }, never),
    startDemoCamera({ auth: { user: 'admin', password: SECRET }, cameras: { street: small } }, never),
  ]);
});
afterAll(async () => {
  await Promise.all([closeSources(), camera.close(), locked.close()]);
  await rm(folder, { recursive: true, force: true });
});

describe.concurrent('a capture', () => {
  it('takes key frames alone where they come often enough', async () => {
    const frames = await firstFrames(capture(camera.url('street'), { interval_seconds: 1 }), 3);
    expect(frames.map(({ mode }) => mode)).toEqual(['keyframes', 'keyframes', 'keyframes']);
  });

  it('takes key frames alone where it is told to, and everything where it is told to', async () => {
    const [key] = await firstFrames(capture(camera.url('bframes'), { capture_mode: 'keyframes' }), 1);
    const [any] = await firstFrames(capture(camera.url('street'), { capture_mode: 'all' }), 1);
    expect([key?.mode, any?.mode]).toEqual(['keyframes', 'all']);
  });

  it('decodes H.265', async () => {
    const [frame] = await firstFrames(capture(camera.url('h265')), 1);
    expect(frame).toMatchObject({ width: 320, height: 180, mode: 'keyframes' });
  });

  it('gives no picture that lacks what it is made from', async () => {
    const [frame] = await firstFrames(capture(camera.url('reordered')), 1);
    if (!frame) throw new Error('no frame');
    const file = join(folder, 'reordered.jpg');
    await writeFile(file, jpegOf(frame));
    const captured = Date.parse(frame.captured_at);
    expect(Math.abs(await readBinaryClock(file, captured) - captured)).toBeLessThan(1500);
    expect(frame.mode).toBe('all but B-frames');
  });

  it('finds its way with a camera that sends no key frames once it runs, by either engine', async () => {
    await firstFrames(capture(camera.url('refreshed')), 1);
    const engines = ENGINES.filter(canUse);
    const modes = await Promise.all(engines.map(async (engine) => (await firstFrames(captureRtsp(camera.url('refreshed'), {}, { engine }), 1))[0]?.mode));
    expect(modes).toEqual(engines.map(() => 'all'));
  });

  it('takes pictures over UDP too', async () => {
    await expect(firstFrames(capture(camera.url('street'), { transport: 'udp', interval_seconds: 1 }), 2)).resolves.toHaveLength(2);
  });

  it('decodes everything of a camera that sends too few pictures to learn from', async () => {
    const frames = await firstFrames(capture(camera.url('slow'), { interval_seconds: 2 }), 3);
    expect(frames.at(-1)?.mode).toBe('all');
  });

  it('makes pictures no wider than the setting', async () => {
    const frames = capture(camera.url('street'), {}, never, { jpeg_quality: 50, max_width: 100 });
    expect((await firstFrames(frames, 1))[0]).toMatchObject({ width: 100, height: 56 });
  });

  it('opens one connection at a time, and one in all when its first guess was right', async () => {
    const [plain, bframes] = await Promise.all(['street', 'bframes'].map(async (path) => {
      const { url, connections, close } = await startRtspRelay(camera.url(path));
      try {
        await firstFrames(capture(url, { interval_seconds: 1 }), 3);
      } finally {
        await close();
      }
      return connections;
    }));
    expect(plain).toEqual({ inAll: 1, atOnce: 1 });
    expect(bframes).toEqual({ inAll: 2, atOnce: 1 });
  });

  it('gives up a camera that falls silent while its connection stays open', async () => {
    const running = capture(camera.url('stalls'), { interval_seconds: 1 })[Symbol.asyncIterator]();
    await running.next();
    await running.next();
    camera.silence('stalls', true);
    const silent = Date.now();
    const error = await failureOf({ [Symbol.asyncIterator]: () => running });
    expect(error).toMatchObject({ code: 'stream_stalled', message: expect.stringMatching(/^the pictures stopped: nothing for [5-8] s$/) as string });
    expect(Date.now() - silent).toBeGreaterThan(3500);
    expect(Date.now() - silent).toBeLessThan(9000);
  });

  it('does not take the wait for a rare key frame for a stall', async () => {
    const [first, second] = await firstFrames(capture(camera.url('rare'), { capture_mode: 'keyframes', interval_seconds: 1 }), 2);
    expect(Date.parse(second?.captured_at ?? '') - Date.parse(first?.captured_at ?? '')).toBeGreaterThan(6000);
  });

  it('says that the stream ended when the camera cuts it', async () => {
    const running = capture(camera.url('goes'))[Symbol.asyncIterator]();
    await running.next();
    camera.disconnect('goes');
    expect(await failureOf({ [Symbol.asyncIterator]: () => running })).toMatchObject({ code: 'stream_ended' });
  });

  it('says so when its pictures cannot be written', async () => {
    const own = await mkdtemp(join(folder, 'own-'));
    const running = captureFrames({ stream: streamOf(camera.url('street'), { interval_seconds: 1 }), settings: PICTURES, folder: own, realTime: false }, never);
    await running.next();
    await rm(own, { recursive: true });
    expect(await failureOf(running)).toMatchObject({ code: 'ffmpeg_failed', message: expect.stringMatching(/^its pictures cannot be written: Could not open file/) as string });
  });

  it.each<[code: ErrorCode, what: string, url: () => string]>([
    ['stream_auth', 'a wrong password', () => locked.url('street', true).replace('p%40s', 'guess')],
    ['stream_auth', 'no password', () => locked.url('street')],
    ['stream_not_found', 'an unknown path', () => locked.url('nowhere', true)],
    ['stream_connect', 'nothing that listens', () => 'rtsp://admin:guess@127.0.0.1:1/street'],
    ['stream_connect', 'a port that reads like a code', () => 'rtsp://admin:guess@127.0.0.1:401/street'],
    ['stream_connect', 'an unknown host', () => 'rtsp://admin:guess@camera.invalid/street'],
    ['stream_connect', 'an address that is none', () => 'rtsp://admin:guess/ing@127.0.0.1/street'],
  ])('answers %s to %s, without the password', async (code, _what, url) => {
    const { message, ...error } = await failureOf(capture(url()));
    expect(error.code).toBe(code);
    expect(message).not.toMatch(/guess|p%40s|p@s/);
  });

  it('gives up a server that accepts and never answers', async () => {
    const server = createServer((socket) => { socket.on('error', () => undefined); });
    const port = await listen(server);
    try {
      expect(await failureOf(capture(`rtsp://admin:guess@127.0.0.1:${port}/street`))).toMatchObject({ code: 'stream_stalled', message: expect.stringContaining('no picture came') as string });
    } finally {
      server.close();
    }
  });

  it('keeps the password off the process list', async () => {
    const url = locked.url('street', true);
    const running = capture(url, { interval_seconds: 1 })[Symbol.asyncIterator]();
    await running.next();
    const lines = commandLines();
    await running.return();
    const ours = lines.filter((line) => line.includes('ffconcat') || / -f concat /.test(line));
    expect(ours.length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes(encodeURIComponent(SECRET)) || line.includes(SECRET))).toEqual([]);
  });
});

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

function commandLines(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      // It has ended since it was listed.
      return '';
    }
  });
}
