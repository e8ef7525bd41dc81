/** Video that comes another way than by RTSP: over HTTP, RTMP, SRT and UDP. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create as createHttp } from '../../src/sources/http.ts';
import { create as createMpegts } from '../../src/sources/mpegts.ts';
import { create as createRtmp } from '../../src/sources/rtmp.ts';
import type { CapturedFrame, Source } from '../../src/types.ts';
import { startHttpCamera, type HttpCamera } from '../helpers/http-camera.ts';
import { freePort, startRtmpServer } from '../helpers/rtmp-server.ts';
import { failureOf, firstFrames, inFolder, BOUNDS, never, PICTURES, streamOf } from './streams.ts';

const CAMERA = ['-v', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', 'testsrc=s=160x90:r=10', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '5', '-pix_fmt', 'yuv420p', '-an'];

let folder: string;
const cleanup: (() => unknown)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-video-'));
  const clip = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=160x90:r=10:d=4', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '5', '-pix_fmt', 'yuv420p', '-movflags', '+faststart'];
  await promisify(execFile)('ffmpeg', [...clip, 'clip.mp4', ...clip.slice(6), 'clip.mkv', ...clip.slice(6), 'clip.flv', ...clip.slice(6), 'clip.ts'], { cwd: folder });
});
afterAll(async () => {
  await Promise.all(cleanup.map((close) => close()));
  await rm(folder, { recursive: true, force: true });
});

/** ffmpeg as a camera that sends for as long as somebody listens; ended with the tests. */
function sends(...target: readonly string[]): ReturnType<typeof spawn> {
  const child = spawn('ffmpeg', [...CAMERA, ...target], { stdio: ['ignore', 'pipe', 'ignore'] });
  cleanup.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}

async function server(answer: Parameters<typeof startHttpCamera>[0]): Promise<HttpCamera> {
  const started = await startHttpCamera(answer);
  cleanup.push(started.close);
  return started;
}

/** The files of the folder, without ranges. */
const files = (): Promise<HttpCamera> => server((request, response) => {
  const file = join(folder, new URL(request.url ?? '', 'http://x').pathname);
  stat(file).then(({ size }) => {
    response.setHeader('content-length', size);
    createReadStream(file).pipe(response);
  }, () => { response.writeHead(404).end(); });
});

const of = (source: Source, url: string): AsyncIterable<CapturedFrame> => inFolder((own) => source.frames(streamOf(url, { interval_seconds: 1 }), own, never));
const http = (url: string, ...allow_schemes: string[]): AsyncIterable<CapturedFrame> => of(createHttp({ config: { ...PICTURES, ...BOUNDS, allow_schemes } }), url);
const spacing = ([first, second]: readonly CapturedFrame[]): number => Date.parse(second?.captured_at ?? '') - Date.parse(first?.captured_at ?? '');

/** Connects again and again, as streams do, until the camera is there. */
async function patiently(frames: () => AsyncIterable<CapturedFrame>, count: number): Promise<readonly CapturedFrame[]> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await firstFrames(frames(), count);
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

describe.concurrent('video over HTTP', () => {
  it.each(['mp4', 'mkv', 'flv', 'ts'])('is played at its own speed where it is a file: %s', async (kind) => {
    const { url } = await files();
    const taken = await firstFrames(http(url(`/clip.${kind}`)), 3);
    expect(taken[0]).toMatchObject({ width: 160, height: 90 });
    expect(spacing(taken)).toBeGreaterThan(700);
    expect(spacing(taken)).toBeLessThan(1300);
  });

  it.each(['mpegts', 'flv'])('is watched where it goes on: %s', async (kind) => {
    const { url } = await server((_, response) => {
      const child = sends('-f', kind, 'pipe:1');
      child.stdout?.pipe(response);
      response.once('close', () => child.kill());
    });
    const began = Date.now();
    const taken = await firstFrames(http(url('/live', 'user:p%40ss@')), 3);
    expect(taken.at(-1)?.mode).toMatch(/keyframes|all/);
    expect(spacing(taken)).toBeGreaterThan(700);
    expect(spacing(taken)).toBeLessThan(1300);
    expect(Date.parse(taken[0]?.captured_at ?? '')).toBeGreaterThan(began);
  });

  it('is the one of several that video_track says', async () => {
    const { url } = await server((_, response) => {
      const child = sends('-map', '0:v', '-map', '0:v', '-s:v:1', '320x180', '-f', 'mpegts', 'pipe:1');
      child.stdout?.pipe(response);
      response.once('close', () => child.kill());
    });
    const taken = (video_track: number): AsyncIterable<CapturedFrame> => inFolder((own) => (
      createHttp({ config: { ...PICTURES, ...BOUNDS, allow_schemes: [] } }).frames(streamOf(url(), { interval_seconds: 1, video_track }), own, never)));
    const frames = await Promise.all([1, 2].map((track) => firstFrames(taken(track), 2)));
    expect(frames.map(([, frame]) => [frame?.width, frame?.mode])).toEqual([[160, 'keyframes'], [320, 'keyframes']]);
    expect(await failureOf(taken(3))).toMatchObject({ code: 'stream_codec', message: expect.stringContaining('fewer videos than video_track says') as string });
  });

  it('is not opened where it is a playlist, unless it is allowed; then not with files of this machine', async () => {
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', 'clip.ts', '-c', 'copy', '-hls_time', '2', '-hls_segment_filename', 'part-%d.ts', 'list.m3u8'], { cwd: folder });
    const list = await readFile(join(folder, 'list.m3u8'), 'utf8');
    const traps = { file: `file:${join(folder, 'part-0.ts')}`, data: 'data:video/mp2t;base64,AAAA' };
    const { url } = await server((request, response) => {
      const name = request.url?.slice(1) ?? '';
      const trap = traps[name as keyof typeof traps];
      if (trap) response.end(list.replace('part-0.ts', trap).replace('part-1.ts', trap));
      else createReadStream(join(folder, name)).pipe(response);
    });
    expect(await failureOf(http(url('/list.m3u8')))).toMatchObject({ code: 'forbidden_scheme', message: expect.stringContaining('allow_schemes: [hls]') as string });
    expect(await firstFrames(http(url('/list.m3u8'), 'hls'), 1)).toMatchObject([{ width: 160, height: 90 }]);
    for (const trap of Object.keys(traps)) expect(await failureOf(http(url(`/${trap}`), 'hls'))).toMatchObject({ code: expect.stringMatching(/^stream_/) as string });
  });

  it('is not what a page or a text is', async () => {
    const { url } = await server((_, response) => { response.end('<html>log in</html>'); });
    expect(await failureOf(http(url()))).toMatchObject({ code: 'stream_codec', message: expect.stringContaining('which is no picture (JPEG, PNG), no MJPEG stream and no video') as string });
  });
});

describe.concurrent('video', () => {
  it('is taken from an RTMP server', async () => {
    const { port, close } = await startRtmpServer('/live/camera');
    cleanup.push(close);
    expect(spacing(await firstFrames(of(createRtmp({ config: { ...PICTURES, ...BOUNDS } }), `rtmp://127.0.0.1:${port}/live/camera`), 2))).toBeLessThan(1500);
  });

  it('is taken over SRT', async () => {
    const url = `srt://127.0.0.1:${await freePort()}`;
    sends('-f', 'mpegts', `${url}?mode=listener`);
    expect(spacing(await patiently(() => of(createMpegts({ config: { ...PICTURES, ...BOUNDS } }), url), 2))).toBeLessThan(1500);
  });

  it('is taken from UDP packets', async () => {
    const url = `udp://127.0.0.1:${await freePort()}`;
    sends('-f', 'mpegts', `${url}?pkt_size=1316`);
    expect(spacing(await firstFrames(of(createMpegts({ config: { ...PICTURES, ...BOUNDS } }), url.replace('udp', 'UDP')), 2))).toBeLessThan(1500);
  });
});
