/** Clips of events, from the look that saw something to the file that shows it: of video, of frames, of two events, and over kill -9. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { createCameraKeys } from '../../src/store/camera-keys.ts';
import type { Clip, Config, EventEntry } from '../../src/types.ts';
import { startTestApp, until, type TestApp } from '../helpers/app.ts';
import { readBinaryClock } from '../helpers/binary-clock.ts';
import { launchChromium } from '../helpers/chromium.ts';
import { startServer } from '../helpers/server-process.ts';
import { hasLibav } from '../sources/feeds/native/clips.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
const KEY_FRAME_MS = 500;
const RULE = { models: ['told'], clips: true, quiet_looks: 1, quiet_seconds: 0.5, post_roll_seconds: 1 };

let folder: string;
let camera: DemoCamera;

/** Settings, and a model that sees what a file says. */
async function prepare(own: string, events: Config['events']): Promise<void> {
  const model = join(own, 'models', 'told');
  for (const path of [join(own, 'data'), model]) await mkdir(path, { recursive: true });
  await writeFile(join(own, 'data', 'lookout.yaml'), JSON.stringify({ events }));
  await writeFile(join(model, 'model.yaml'), `runtime: node\nentry: told.mjs\nversion: "1"\nmix: true\noptions:\n  file: ${join(own, 'sees')}\n`);
  await writeFile(join(model, 'told.mjs'), `
    import { readFile } from 'node:fs/promises';
    export const predict = async (frames, { file }) => {
      const classes = (await readFile(file, 'utf8')).split(' ').filter(Boolean);
      return frames.map(() => classes.map((name) => ({ class: name, confidence: 0.9, box: [10, 10, 50, 50] })));
    };`);
  await see(own);
}
const see = (own: string, ...classes: readonly string[]): Promise<void> => writeFile(join(own, 'sees'), classes.join(' '));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-event-clips-'));
  camera = await startDemoCamera({ cameras: { plain: { kind: 'scene', width: 480, height: 270, fps: 25, clock: true, keyframe_seconds: KEY_FRAME_MS / 1000 } } }, never);
});
afterAll(async () => {
  await camera.close();
  await rm(folder, { recursive: true, force: true });
});

/** When a picture of a file was taken, by the clock in it. */
async function clockOf(file: string, nearMs: number, ...seek: readonly string[]): Promise<number> {
  const picture = join(folder, `picture-${Math.random()}.jpg`);
  await run('ffmpeg', ['-v', 'error', ...seek, '-i', file, '-frames:v', '1', '-update', '1', '-y', picture]);
  return readBinaryClock(picture, nearMs);
}

async function fetched(url: string, id: string): Promise<string> {
  const answer = await fetch(`${url}/api/events/${id}/clip.mp4`);
  expect(answer.status, await answer.clone().text().then((text) => text.slice(0, 200))).toBe(200);
  const file = join(folder, `${id}.mp4`);
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  expect((await run('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-'])).stderr).toBe('');
  return file;
}

interface Shown { readonly streams: readonly Readonly<Record<string, unknown>>[]; readonly packets: readonly { readonly pts_time: string; readonly duration_time: string }[]; readonly format: { readonly duration: string } }
const shownIn = async (file: string): Promise<Shown> =>
  JSON.parse((await run('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name,pix_fmt,width,height:packet=pts_time,duration_time:format=duration', '-of', 'json', file])).stdout) as Shown;

describe.concurrent('a clip of an event', () => {
  let lookout: TestApp;
  beforeAll(async () => {
    await prepare(folder, [{ name: 'seen', ...RULE }, { name: 'pushed', ...RULE, models: ['camera'], pre_roll_seconds: 1 }, { name: 'without', models: ['told'], classes: ['hen'], quiet_looks: 1, quiet_seconds: 0.5 }]);
    lookout = await startTestApp({ models_dir: join(folder, 'models'), capture_engine: 'libav' }, folder);
  });
  afterAll(() => lookout.close());

  const last = (camera_id: string, name: string): EventEntry | undefined => lookout.app.face.events({ camera_id, class: name, state: 'ended', limit: 1 })[0];
  const ended = async (camera_id: string, name: string): Promise<EventEntry> => {
    await until(() => last(camera_id, name) !== undefined, 20_000, () => JSON.stringify(lookout.app.face.events({ limit: 9 })) + lookout.log());
    return last(camera_id, name) as EventEntry;
  };

  it.skipIf(!hasLibav)('is the camera\'s video from as long before the first sighting as is wanted; events that overlap share it (missed where the binary of node-av is absent)', async () => {
    await lookout.post('/start_stream', { camera_id: 'plain', rtsp_url: camera.url('plain'), model_name: ['told'], interval_seconds: 0.5, batch_size: 2 });
    await until(() => lookout.stream('plain').last_frame_at !== null, 30_000, () => lookout.log());
    await sleep(Math.max(0, Date.parse(lookout.stream('plain').last_frame_at ?? '') + 5500 - Date.now()));
    await see(folder, 'dog', 'cat', 'hen');
    await until(() => lookout.app.face.events({ camera_id: 'plain', limit: 9 }).length === 4, 10_000, () => lookout.log());
    await see(folder, 'cat');
    const dog = await ended('plain', 'dog');
    // The other goes on: what there is by now is there.
    const shorter = await shownIn(await fetched(lookout.url, dog.id));
    expect(last('plain', 'cat')).toBeUndefined();
    await see(folder);
    const cat = await ended('plain', 'cat');

    expect(dog.clip).toMatchObject({ made_of: 'video', id: cat.clip?.id });
    expect(Date.parse(cat.clip?.ends_at ?? '')).toBeGreaterThan(Date.parse(dog.clip?.ends_at ?? '') + 500);
    expect(lookout.app.face.events({ class: 'hen', limit: 9 }).map(({ rule, clip }) => [rule, clip?.id])).toEqual(expect.arrayContaining([['without', undefined], ['seen', dog.clip?.id]]));
    const file = await fetched(lookout.url, dog.id);
    expect(Number((await shownIn(file)).format.duration)).toBeGreaterThan(Number(shorter.format.duration) + 0.5);

    const began = Date.parse(dog.began_at);
    const first = await clockOf(file, began - 5000);
    expect(began - first).toBeGreaterThan(5000 - 100);
    expect(began - first).toBeLessThan(5000 + KEY_FRAME_MS + 700);
    const final = await clockOf(file, Date.parse(cat.last_seen_at) + 1000, '-sseof', '-0.2');
    expect(Math.abs(final - Date.parse(cat.last_seen_at) - 1000)).toBeLessThan(700);
    expect(Math.abs(Date.parse(dog.clip?.begins_at ?? '') - first)).toBeLessThan(300);
    expect(Math.abs(Date.parse(cat.clip?.ends_at ?? '') - final)).toBeLessThan(500);

    const part = await fetch(`${lookout.url}/api/events/${cat.id}/clip.mp4`, { headers: { range: 'bytes=4-7' } });
    expect([part.status, await part.text()]).toEqual([206, 'ftyp']);
    const { clips } = await (await fetch(`${lookout.url}/api/clips?camera_id=plain`)).json() as { clips: Clip[] };
    expect(clips).toMatchObject([{ id: dog.clip?.id, made_of: 'video', width: 480, height: 270, reason: null }]);
    expect([...clips[0]?.events ?? []].sort()).toEqual(lookout.app.face.events({ camera_id: 'plain', rule: 'seen', limit: 9 }).map(({ id }) => id).sort());
    await lookout.post('/stop_stream', { camera_id: 'plain' });
  });

  it.skipIf(!hasLibav)('begins as early as a rule says that was changed while the camera was captured (missed where the binary of node-av is absent)', async () => {
    const own = await mkdtemp(join(folder, 'changed-'));
    await prepare(own, [{ name: 'seen', ...RULE, clips: false }]);
    const other = await startTestApp({ models_dir: join(own, 'models'), capture_engine: 'libav' }, own);
    try {
      await other.post('/start_stream', { camera_id: 'plain', rtsp_url: camera.url('plain'), model_name: ['told'], interval_seconds: 0.5, batch_size: 2 });
      await until(() => other.stream('plain').last_frame_at !== null, 30_000, () => other.log());
      other.app.face.changeRule('seen', { clips: true, pre_roll_seconds: 2 });
      await sleep(4000);
      await see(own, 'dog');
      await until(() => other.app.face.events({ limit: 9 }).length === 1, 10_000, () => other.log());
      await see(own);
      await until(() => other.app.face.events({ state: 'ended', limit: 9 })[0]?.clip !== undefined, 20_000, () => other.log());
      const [dog] = other.app.face.events({ limit: 1 });
      expect(Date.parse(dog?.began_at ?? '') - Date.parse(dog?.clip?.begins_at ?? '')).toBeGreaterThan(1900);
    } finally {
      await other.close();
    }
  });

  it('is made of the frames where there is no video, each shown as long as it lasted, and a browser plays it', async () => {
    const key = await createCameraKeys(lookout.config.data_dir).make('pusher');
    await lookout.post('/start_stream', { camera_id: 'pusher', rtsp_url: 'push:', models: [], interval_seconds: 0, batch_size: 1 });
    const pictures = await Promise.all(['red', 'green', 'blue'].map(async (colour) => (await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `color=${colour}:s=640x360`, '-vf', 'format=yuvj444p,scale=321:181', '-frames:v', '1', '-f', 'image2pipe', '-c:v', 'mjpeg', '-'], { encoding: 'buffer' })).stdout));
    const times: number[] = [];
    async function push(number: number, seconds: number, headers: Readonly<Record<string, string>> = {}): Promise<void> {
      times.push(start + 1000 * seconds);
      await sleep(Math.max(0, start + 1000 * seconds - Date.now()));
      const { status } = await fetch(`${lookout.url}/api/cameras/pusher/frames`, { method: 'POST', headers: { 'X-Camera-Auth': key, 'X-Captured-At': new Date(start + 1000 * seconds).toISOString(), ...headers }, body: pictures[number % 3] as Buffer });
      expect(status).toBe(202);
    }
    const start = Date.now() + 100;
    const seconds = [0, 0.3, 0.8, 1.5, 1.8, 2.1, 2.4, 2.8, 3.2, 3.6];
    for (const [number, at] of seconds.entries()) await push(number, at, at === 1.5 || at === 1.8 ? { 'X-Finding': 'oil' } : {});
    const { id, clip } = await ended('pusher', 'oil');
    expect(clip, lookout.log()).not.toBeNull();
    // The frame that was the newest a second before it is the first.
    expect(clip).toMatchObject({ made_of: 'frames', begins_at: new Date(start + 300).toISOString() });
    expect(Date.parse(clip?.ends_at ?? '') - start).toBeCloseTo(2800, -2);
    const { streams, packets } = await shownIn(await fetched(lookout.url, id));
    expect(streams).toEqual([{ codec_name: 'h264', pix_fmt: 'yuv420p', width: 320, height: 180 }]);
    expect(packets.map(({ pts_time }) => Math.round(Number(pts_time) * 10) / 10)).toEqual([0, 0.5, 1.2, 1.5, 1.8, 2.1, 2.5]);
    expect(await readdir(join(lookout.config.data_dir, 'takes'))).toContain('frames');

    const browser = await launchChromium('--autoplay-policy=no-user-gesture-required');
    try {
      const page = await browser.newPage();
      await page.goto(`${lookout.url}/docs`);
      const played = await page.evaluate(`new Promise((resolve) => {
        const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true, src: '/api/events/${id}/clip.mp4' });
        video.onended = () => resolve(video.videoWidth);
        video.onerror = () => resolve(video.error.message);
        document.body.append(video);
      })`);
      expect(played).toBe(320);
    } finally {
      await browser.close();
    }
  });

  it.skipIf(!hasLibav)('is what was recorded before Lookout was killed, of an event that goes on after it', async ({ onTestFinished }) => {
    const own = await mkdtemp(join(folder, 'killed-'));
    await prepare(own, [{ name: 'seen', ...RULE, quiet_seconds: 1.5 }]);
    await see(own, 'dog');
    const options = { folder: own, flags: ['--models-dir', join(own, 'models'), '--capture-engine', 'libav'] };
    const first = await startServer(options);
    onTestFinished(() => first.kill9());
    await first.ask('/start_stream', { camera_id: 'plain', rtsp_url: camera.url('plain'), model_name: ['told'], interval_seconds: 0.5, batch_size: 2 });
    const eventsOf = async (server: typeof first): Promise<readonly EventEntry[]> => ((await server.ask('/api/events')) as { events: readonly EventEntry[] }).events;
    await until(async () => (await eventsOf(first)).length > 0, 30_000, first.output);
    await sleep(2000);
    const killed = Date.now();
    await first.kill9();

    const second = await startServer(options);
    onTestFinished(() => second.kill9());
    await until(async () => ((await second.ask('/api/clips')) as { clips: readonly Clip[] }).clips.length > 0, 20_000, second.output);
    await sleep(1000);
    await see(own);
    await until(async () => (await eventsOf(second))[0]?.state === 'ended', 20_000, second.output);
    const [event, ...more] = await eventsOf(second);
    expect([event?.ended_by, event?.clip?.made_of, more]).toEqual(['quiet', 'video', []]);
    const began = Date.parse(event?.clip?.begins_at ?? '');
    const file = await fetched(second.url, event?.id ?? '');
    expect(Math.abs(await clockOf(file, began) - began)).toBeLessThan(300);
    const final = await clockOf(file, killed, '-sseof', '-0.2');
    expect(killed - final).toBeLessThan(1500);
    expect((await readdir(join(own, 'data', 'takes'))).filter((name) => name !== 'frames')).toEqual([]);
    const entries = (await readFile(join(own, 'data', 'events.ndjson'), 'utf8')).split('\n').filter(Boolean).map((line) => JSON.parse(line) as EventEntry);
    expect(entries.filter(({ state }) => state !== 'going_on').map(({ state }) => state)).toEqual(['begun', 'ended']);
    expect(await second.stop()).toBe(0);
  });
});
