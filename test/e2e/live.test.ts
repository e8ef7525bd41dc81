/** Live video and clips of real cameras, as players and viewers take them. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import type { Clip } from '../../src/types.ts';
import { startTestApp, until, type TestApp } from '../helpers/app.ts';
import { readBinaryClock } from '../helpers/binary-clock.ts';
import { launchChromium } from '../helpers/chromium.ts';
import { hostsOf } from '../helpers/process-tree.ts';
import { hasPeer, startPeer, type Peer } from '../helpers/shared.ts';
import { hasLibav } from '../sources/feeds/native/clips.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
const scene = { kind: 'scene', width: 480, height: 270, fps: 25, clock: true } as const;
const CAMERAS = {
  plain: { ...scene, keyframe_seconds: 1 },
  bframes: { ...scene, keyframe_seconds: 2, b_frames: 3 },
  // Its encoder costs the processor most.
  h265: { ...scene, width: 320, height: 180, keyframe_seconds: 1, codec: 'h265' },
} as const;
type Id = keyof typeof CAMERAS;
const IDS = Object.keys(CAMERAS) as readonly Id[];
const isOurs = (id: string): id is Id => id in CAMERAS;
const sizeOf = (id: Id): { readonly width: number; readonly height: number } => ({ width: CAMERAS[id].width, height: CAMERAS[id].height });

/** The project's RTSP server, and that of others. */
const SERVERS = ['plain', ...(hasPeer ? ['peer'] : [])];

describe.skipIf(!hasLibav)('of cameras that libav captures (missed where the binary of node-av is absent)', () => {
  let folder: string;
  let camera: DemoCamera;
  let peer: Peer | null = null;
  let lookout: TestApp;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lookout-live-'));
    camera = await startDemoCamera({ cameras: CAMERAS }, never);
    lookout = await startTestApp({ capture_engine: 'libav' });
    for (const camera_id of IDS) await lookout.post('/start_stream', { camera_id, rtsp_url: camera.url(camera_id), model_name: ['motion'], interval_seconds: 2, clips: true });
    await lookout.post('/start_stream', { camera_id: 'unkept', rtsp_url: camera.url('plain'), model_name: ['motion'], interval_seconds: 2 });
    if (hasPeer) {
      peer = await startPeer({ cars: 'car-detection.mp4' });
      await lookout.post('/start_stream', { camera_id: 'peer', rtsp_url: peer.url('cars'), model_name: ['motion'], interval_seconds: 2 });
    }
    for (const id of [...IDS, 'unkept', ...(peer ? ['peer'] : [])]) await until(() => lookout.stream(id).state === 'running' || lookout.stream(id).last_frame_at !== null, 30_000, () => lookout.log());
  });
  afterAll(async () => {
    await lookout.close();
    await camera.close();
    await peer?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const live = (id: string): string => `${lookout.url}/api/cameras/${id}/live.mp4`;

  /** The first picture of a file, and when it was taken by the clock in it. */
  async function clockOf(file: string, nearMs: number, ...seek: readonly string[]): Promise<number> {
    const picture = join(folder, `picture-${Math.random()}.jpg`);
    await run('ffmpeg', ['-v', 'error', ...seek, '-i', file, '-frames:v', '1', '-update', '1', '-y', picture]);
    return readBinaryClock(picture, nearMs);
  }

  async function recorded(url: string, seconds: number): Promise<string> {
    const file = join(folder, `live-${Math.random()}.mp4`);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => { get(url, resolve).on('error', reject); });
    expect(answer.statusCode).toBe(200);
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part)).on('error', () => undefined);
    await sleep(seconds * 1000);
    answer.destroy();
    await writeFile(file, wholeBoxes(Buffer.concat(parts)));
    return file;
  }

  // The cameras' encoders go on as long as the tests do: what disturbs nobody is done at once.
  it.concurrent.each([...IDS, ...SERVERS.slice(1)])('%s is played as it comes, from a key frame on, a picture after the other', async (id) => {
    const asked = Date.now();
    const file = await recorded(live(id), 4);
    const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts_time,flags:stream=codec_tag_string,width,height', '-of', 'json', file]);
    const { packets, streams } = JSON.parse(stdout) as { packets: { pts_time: string; flags: string }[]; streams: object[] };
    expect(streams).toMatchObject([{ codec_tag_string: id === 'h265' ? 'hvc1' : 'avc1' }]);
    expect(packets[0]?.flags).toMatch(/^K/);
    expect(packets.length).toBeGreaterThan(60);
    const times = packets.map(({ pts_time }) => Number(pts_time)).sort((a, b) => a - b);
    // Of the last, B-frames may have been on their way.
    for (const [at, time] of times.slice(1, -4).entries()) expect(time - (times[at] ?? NaN)).toBeLessThan(0.09);
    // Nothing of it is broken, and the first picture is of the newest group then.
    expect((await run('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-'])).stderr).toBe('');
    if (!isOurs(id)) return;
    expect(streams).toMatchObject([sizeOf(id)]);
    const first = await clockOf(file, asked);
    expect(asked - first).toBeGreaterThan(-1000);
    expect(asked - first).toBeLessThan(2000 + 1500);
  });

  it.skipIf(!existsSync('/usr/bin/ffplay')).for(SERVERS)('%s is played by ffplay, and goes on', { concurrent: true }, async (id, { expect, onTestFinished }) => {
    const player = spawn('/usr/bin/ffplay', ['-v', 'info', '-stats', live(id)], { env: { ...process.env, SDL_VIDEODRIVER: 'dummy', SDL_AUDIODRIVER: 'dummy' }, stdio: ['ignore', 'ignore', 'pipe'] });
    onTestFinished(async () => {
      player.kill('SIGKILL');
      await once(player, 'close');
    });
    let said = '';
    player.stderr.setEncoding('utf8').on('data', (text: string) => { said += text; });
    const times = (): readonly number[] => [...said.matchAll(/^\s*(\d+\.\d+) M-V:/gm)].map(([, time]) => Number(time));
    await expect.poll(() => Math.max(...times()) - Math.min(...times()), { timeout: 20_000, message: said }).toBeGreaterThan(2);
    expect(said).not.toMatch(/error|invalid|corrupt|missing/i);
  });

  it.concurrent.for(SERVERS)('%s is played by a browser, and goes on', async (id, { expect, onTestFinished }) => {
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.route('**/page', (route) => route.fulfill({ contentType: 'text/html', body: `<video src="/api/cameras/${id}/live.mp4" muted onloadstart="this.play()"></video>
      <script>
        const video = document.querySelector('video');
        video.addEventListener('loadeddata', () => Object.assign(video, { begun: video.currentTime, seenAt: performance.now() }));
        video.addEventListener('playing', () => { video.stoodMs ??= performance.now() - video.seenAt; });
      </script>` }));
    await page.goto(`${lookout.url}/page`);
    const timeOf = (): Promise<{ time: number; width: number; error: string | null }> =>
      page.evaluate(`(() => { const video = document.querySelector('video'); return { time: video.currentTime, width: video.videoWidth, error: video.error?.message ?? null }; })()`);
    // The first picture need not be of the time 0.
    await expect.poll(() => page.evaluate(`(() => { const { begun = NaN, currentTime } = document.querySelector('video'); return currentTime - begun; })()`), { timeout: 40_000 }).toBeGreaterThan(1);
    const before = await timeOf();
    await sleep(2000);
    const after = await timeOf();
    expect(after.error).toBeNull();
    expect(after.width).toBeGreaterThan(0);
    expect(after.time - before.time).toBeGreaterThan(1);
    expect(await page.evaluate('video.stoodMs')).toBeLessThan(3000);
  });

  it('is given to ten viewers of which three read nothing, and disturbs nobody', async ({ onTestFinished }) => {
    // Eight for a camera.
    const answers = await Promise.all(['plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'bframes', 'bframes', 'bframes'].map((id) => new Promise<IncomingMessage>((resolve, reject) => { get(live(id), { agent: false }, resolve).on('error', reject); })));
    onTestFinished(() => { for (const answer of answers) answer.destroy(); });
    const stalled = answers.slice(0, 3);
    const counts = answers.slice(3).map((answer) => {
      const count = { bytes: 0, longestMs: 0, last: performance.now() };
      answer.on('error', () => undefined).on('data', (part: Buffer) => {
        const now = performance.now();
        count.longestMs = Math.max(count.longestMs, now - count.last);
        Object.assign(count, { bytes: count.bytes + part.length, last: now });
      });
      return count;
    });
    for (const answer of stalled) answer.on('error', () => undefined);
    const before = lookout.stream('plain').books;
    await sleep(8000);
    for (const { bytes, longestMs } of counts) {
      expect(bytes).toBeGreaterThan(50_000);
      expect(longestMs).toBeLessThan(2000);
    }
    const after = lookout.stream('plain').books;
    expect(after.captured - before.captured).toBeGreaterThanOrEqual(3);
    expect(after.dropped).toEqual(before.dropped);
  });

  it.concurrent.each(IDS)('a clip of %s begins as long before the request as was asked, by the clock in it, and ends as long after', async (id) => {
    await until(() => Date.now() - Date.parse(lookout.stream(id).since) > 10_000, 20_000, () => lookout.log());
    const asked = Date.now();
    const { status, body } = await lookout.post(`/api/cameras/${id}/clips`, { before_seconds: 5, after_seconds: 2 });
    const clip = body as Clip;
    expect([status, clip]).toMatchObject([201, { camera_id: id, ...sizeOf(id), reason: null, codec: id === 'h265' ? 'h265' : 'h264' }]);
    const answer = await fetch(`${lookout.url}/api/clips/${encodeURIComponent(clip.id)}/clip.mp4`);
    const file = join(folder, `${id}.mp4`);
    await writeFile(file, Buffer.from(await answer.arrayBuffer()));
    expect((await readFile(file)).length).toBe(clip.bytes);
    const begins = await clockOf(file, asked - 5000);
    expect(asked - begins).toBeGreaterThanOrEqual(5000 - 25);
    // By a key frame spacing, and how late pictures come.
    expect(asked - begins).toBeLessThan(5000 + 2000 + 700);
    expect(Math.abs(Date.parse(clip.begins_at) - begins)).toBeLessThan(300);
    const ends = await clockOf(file, asked + 2000, '-sseof', '-0.2');
    expect(ends - asked).toBeGreaterThan(1200);
    expect(clip.seconds).toBeGreaterThanOrEqual(7);
    expect((await run('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-'])).stderr).toBe('');
  });

  it.concurrent('a clip of a camera whose seconds are not kept is what there is, and says so', async () => {
    const { status, body } = await lookout.post('/api/cameras/unkept/clips', { before_seconds: 5, after_seconds: 3 });
    expect([status, body]).toMatchObject([201, { reason: 'only 0.0 s before were kept: the stream option clips is off' }]);
    expect((body as Clip).seconds).toBeGreaterThan(1.5);
  });

  it('a capture host that dies ends what is copied of its cameras, leaves nothing half written, and viewers may come again', async () => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => { get(live('plain'), { agent: false }, resolve).on('error', reject); });
    const ended = once(answer.resume(), 'end');
    const clip = lookout.post('/api/cameras/bframes/clips', { before_seconds: 1, after_seconds: 20 });
    await sleep(1000);
    const killed = Date.now();
    for (const pid of hostsOf(process.pid)) process.kill(pid, 'SIGKILL');
    await ended;
    expect(await clip).toMatchObject({ status: 502, body: { code: 'stream_ended', error: 'its capture host ended' } });
    expect((await readdir(join(lookout.config.data_dir, 'clips'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await until(() => Date.parse(lookout.stream('plain').last_frame_at ?? '') > killed + 500, 20_000, () => lookout.log());
    expect((await readFile(await recorded(live('plain'), 3))).length).toBeGreaterThan(10_000);
  });

  it('a camera that goes away ends live video in order and clips with what there is', async () => {
    const watched = new Promise<number>((resolve, reject) => {
      get(live('plain'), (answer) => {
        let bytes = 0;
        answer.on('data', (part: Buffer) => { bytes += part.length; }).on('end', () => { resolve(bytes); }).on('error', reject);
      }).on('error', reject);
    });
    const clip = lookout.post('/api/cameras/plain/clips', { before_seconds: 1, after_seconds: 30 });
    await sleep(1500);
    camera.disconnect('plain');
    expect(await watched).toBeGreaterThan(10_000);
    expect(await clip).toMatchObject({ status: 201, body: { reason: 'the camera was lost' } });
    await until(() => lookout.stream('plain').state === 'running', 20_000, () => lookout.log());
  });
});

it('neither is to be had of cameras that ffmpeg captures, which says what is', async ({ onTestFinished }) => {
  const camera = await startDemoCamera({ cameras: { plain: { ...scene, keyframe_seconds: 1 } } }, never);
  onTestFinished(() => camera.close());
  const lookout = await startTestApp({ capture_engine: 'ffmpeg' });
  onTestFinished(() => lookout.close());
  await lookout.post('/start_stream', { camera_id: 'plain', rtsp_url: camera.url('plain'), model_name: ['motion'], interval_seconds: 1 });
  await until(() => lookout.stream('plain').last_frame_at !== null, 30_000, () => lookout.log());
  const answer = await fetch(`${lookout.url}/api/cameras/plain/live.mp4`);
  expect([answer.status, await answer.json()]).toMatchObject([415, { code: 'no_live_video', error: expect.stringContaining('stream.mjpeg') as string }]);
  expect(await lookout.post('/api/cameras/plain/clips', {})).toMatchObject({ status: 415, body: { code: 'no_live_video' } });
  const pictures = await fetch(`${lookout.url}/api/cameras/plain/stream.mjpeg`);
  const reader = pictures.body?.getReader();
  let text = '';
  while (text.split('--picture').length < 4) text += Buffer.from((await reader?.read())?.value ?? []).toString('latin1');
  await reader?.cancel();
  const times = [...text.matchAll(/X-Frame-Time: (\S+)/g)].map(([, time]) => time);
  expect(new Set(times).size).toBe(times.length);
});

/** Without what was still on its way when the viewer left. */
function wholeBoxes(bytes: Buffer): Buffer {
  let end = 0;
  while (end + 8 <= bytes.length && end + bytes.readUInt32BE(end) <= bytes.length) end += bytes.readUInt32BE(end);
  return bytes.subarray(0, end);
}
