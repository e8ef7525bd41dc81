/** What can be watched over HTTP, as it is answered: types, refusals, places, ranges. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { until } from '../helpers/app.ts';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { createSite, type Site } from './site.ts';

let face: FakeFace;
let site: Site;
let folder: string;
const open: IncomingMessage[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-video-'));
  face = createFakeFace();
  site = await createSite(face);
  for (const camera_id of ['CAM-001', 'CAM-002']) await face.start({ camera_id, url: 'rtsp://a/' });
});
afterEach(async () => {
  for (const one of open.splice(0)) one.destroy();
  await site.close();
  await rm(folder, { recursive: true, force: true });
});

/** An answer that goes on. */
async function watch(path: string): Promise<IncomingMessage> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: '127.0.0.1', port: site.port, path, agent: false }, resolve).on('error', reject).end();
  });
  open.push(answer);
  answer.on('error', () => undefined);
  return answer;
}

async function* endless(): AsyncGenerator<Uint8Array, void, void> {
  for (let number = 0; ; number += 1) {
    yield Buffer.from(`piece ${number};`);
    await sleep(20);
  }
}

describe('live.mp4', () => {
  it('is what comes, as it comes, and ends when it does', async () => {
    face.videos.set('CAM-001', async function* () {
      yield Buffer.from('head');
      await sleep(10);
      yield Buffer.from('picture');
    });
    const { status, headers, text } = await site.send('GET', '/api/cameras/CAM-001/live.mp4');
    expect([status, text]).toEqual([200, 'headpicture']);
    expect(headers).toMatchObject({ 'content-type': 'video/mp4', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    expect(headers['content-encoding']).toBeUndefined();
    const asked = await site.send('HEAD', '/api/cameras/CAM-001/live.mp4');
    expect([asked.status, asked.headers['content-type'], asked.bytes.length]).toEqual([200, 'video/mp4', 0]);
  });

  it('is refused with the reason where there is none', async () => {
    expect(await site.send('GET', '/api/cameras/nobody/live.mp4')).toMatchObject({ status: 404, json: { code: 'not_found' } });
    expect(await site.send('GET', '/api/cameras/CAM-001/live.mp4')).toMatchObject({ status: 415, json: { code: 'no_live_video' } });
    face.failNext(new LookoutError('stream_ended', 'the camera was lost'));
    expect(await site.send('GET', '/api/cameras/CAM-001/live.mp4')).toMatchObject({ status: 502, json: { error: 'the camera was lost', code: 'stream_ended' } });
    await face.stop('CAM-001');
    expect(await site.send('GET', '/api/cameras/CAM-001/live.mp4')).toMatchObject({ status: 404, json: { code: 'not_found' } });
    expect((await site.send('POST', '/api/cameras/CAM-001/live.mp4')).status).toBe(405);
  });

  it('stops being asked for when its reader is gone', async () => {
    let ended = false;
    face.videos.set('CAM-001', async function* () {
      try {
        yield* endless();
      } finally {
        ended = true;
      }
    });
    (await watch('/api/cameras/CAM-001/live.mp4')).once('data', function (this: IncomingMessage) { this.destroy(); });
    await expect.poll(() => ended).toBe(true);
  });

  it('has eight places for a camera and 64 in all, which are given back', async () => {
    for (let number = 0; number < 10; number += 1) {
      await face.start({ camera_id: `V-${number}`, url: 'rtsp://a/' });
      face.videos.set(`V-${number}`, endless);
    }
    const ofFirst = await Promise.all(Array.from({ length: 8 }, () => watch('/api/cameras/V-0/live.mp4')));
    expect(ofFirst.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200));
    expect(await site.send('GET', '/api/cameras/V-0/stream.mjpeg')).toMatchObject({ status: 503, json: { code: 'too_many_at_once' } });
    expect(await site.send('POST', '/api/cameras/V-0/clips', { json: {} })).toMatchObject({ status: 503, json: { code: 'too_many_at_once' } });
    for (let camera = 1; camera < 8; camera += 1) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => watch(`/api/cameras/V-${camera}/live.mp4`)));
      expect(answers.every(({ statusCode }) => statusCode === 200)).toBe(true);
    }
    expect(await site.send('GET', '/api/cameras/V-9/live.mp4')).toMatchObject({ status: 503, json: { code: 'too_many_at_once' } });
    ofFirst[0]?.destroy();
    await expect.poll(async () => (await watch('/api/cameras/V-9/live.mp4')).statusCode).toBe(200);
  });
});

describe('stream.mjpeg', () => {
  const show = async (name: string, second: number): Promise<void> => {
    const file = join(folder, `${name}.jpg`);
    await writeFile(file, name);
    face.pictures.set('CAM-001', { file, captured_at: `2026-11-20T12:00:0${second}.000Z` });
  };

  it('is each picture once, when it is new, the newest first', async () => {
    await show('first', 1);
    const answer = await watch('/api/cameras/CAM-001/stream.mjpeg');
    let text = '';
    answer.setEncoding('latin1').on('data', (part: string) => { text += part; });
    expect(answer.headers['content-type']).toBe('multipart/x-mixed-replace; boundary=picture');
    await expect.poll(() => text).toContain('first');
    await sleep(200);
    await show('second', 2);
    await expect.poll(() => text).toContain('second');
    await show('third', 3);
    await expect.poll(() => text).toContain('third');
    expect(text).toBe(([['first', 1], ['second', 2], ['third', 3]] as const).map(([name, second]) =>
      `--picture\r\nContent-Type: image/jpeg\r\nContent-Length: ${name.length}\r\nX-Frame-Time: 2026-11-20T12:00:0${second}.000Z\r\n\r\n${name}\r\n`).join(''));
    const ended = new Promise((resolve) => { answer.once('end', resolve); });
    await face.stop('CAM-001');
    await ended;
  });

  it('stays with those who have it open while the camera is away, and refuses others an old picture, with the reason', async () => {
    await show('old', 1);
    const answer = await watch('/api/cameras/CAM-001/stream.mjpeg');
    const parts: string[] = [];
    answer.setEncoding('latin1').on('data', (part: string) => { parts.push(part); });
    const away = { state: 'reconnecting', reason: 'No route to host; next try in 2.0 s' } as const;
    // The pictures of a long interval are far between.
    face.show('CAM-001', { ...away, late_after_seconds: 1e9 });
    (await watch('/api/cameras/CAM-001/stream.mjpeg')).destroy();
    face.show('CAM-001', { late_after_seconds: 18 });
    const refused = { status: 502, json: { code: 'stream_ended', error: expect.stringMatching(/s old .*: No route to host; next try in 2.0 s/) as string } };
    expect(await site.send('GET', '/api/cameras/CAM-001/stream.mjpeg')).toMatchObject(refused);
    await sleep(1200);
    await show('new', 2);
    await until(() => parts.join('').includes('new'), 5000, () => parts.join(''));
    face.show('CAM-002', away);
    expect(await site.send('GET', '/api/cameras/CAM-002/stream.mjpeg')).toMatchObject({ status: 502, json: { error: expect.stringContaining('there is none') as string } });
    expect(await site.send('GET', '/api/cameras/CAM-001/latest.jpg')).toMatchObject({ status: 200, headers: { age: expect.stringMatching(/^\d+$/) as string } });
    // It may push only when there is something to show.
    face.show('CAM-001', { url: 'push:' });
    (await watch('/api/cameras/CAM-001/stream.mjpeg')).destroy();
  });

  it('goes on when a picture is gone before it could be read', async () => {
    face.pictures.set('CAM-001', { file: join(folder, 'gone.jpg'), captured_at: '2026-11-20T12:00:01.000Z' });
    const answer = await watch('/api/cameras/CAM-001/stream.mjpeg');
    await writeFile(join(folder, 'there.jpg'), 'there');
    face.pictures.set('CAM-001', { file: join(folder, 'there.jpg'), captured_at: '2026-11-20T12:00:02.000Z' });
    const [part] = await new Promise<string[]>((resolve) => { answer.setEncoding('latin1').once('data', (one: string) => { resolve([one]); }); });
    expect(part).toContain('there');
  });
});

describe('a camera on demand that is asleep', () => {
  it('may be watched, unless nothing comes of it; no clip wakes it', async () => {
    face.show('CAM-001', { state: 'asleep', capturing: false });
    face.videos.set('CAM-001', async function* () { yield await Promise.resolve(Buffer.from('head')); });
    expect(await site.send('GET', '/api/cameras/CAM-001/live.mp4')).toMatchObject({ status: 200, text: 'head' });
    face.failNext(new LookoutError('stream_connect', 'nobody is there'));
    expect(await site.send('GET', '/api/cameras/CAM-001/stream.mjpeg')).toMatchObject({ status: 502, json: { error: 'nobody is there', code: 'stream_connect' } });
    expect(await site.send('POST', '/api/cameras/CAM-001/clips', { json: {} })).toMatchObject({ status: 404, json: { error: expect.stringContaining('is asleep') as string } });
    expect(await site.send('POST', '/start_stream', { json: { camera_id: 'CAM-001', rtsp_url: 'rtsp://a/' } })).toMatchObject({ json: { status: 'already_running' } });
  });
});

describe('clips', () => {
  it('are made with the seconds that are asked for, or five before and after', async () => {
    const { status, headers, json } = await site.send('POST', '/api/cameras/CAM-001/clips', { json: { before_seconds: 10 } });
    expect([status, json]).toMatchObject([201, { camera_id: 'CAM-001', seconds: 15, reason: null }]);
    // A reverse proxy may have taken a path off.
    const location = new URL(String(headers.location), 'http://cams.example/lookout/api/cameras/CAM-001/clips').href;
    expect(location).toBe(`http://cams.example/lookout/api/clips/${(json as { id: string }).id}`);
    expect((await site.send('POST', '/api/cameras/CAM-002/clips', { json: {} })).json).toMatchObject({ seconds: 10 });
    expect((await site.send('GET', location.slice(location.indexOf('/api')))).json).toEqual(json);

    expect((await site.send('GET', '/api/clips')).json).toMatchObject({ clips: [{ camera_id: 'CAM-002' }, { camera_id: 'CAM-001' }] });
    expect((await site.send('GET', '/api/clips?camera_id=CAM-001')).json).toMatchObject({ clips: [json] });
    expect((await site.send('GET', '/api/clips?limit=1')).json).toMatchObject({ clips: [{ camera_id: 'CAM-002' }] });
  });

  it.each<[string, unknown]>([
    ['too long', { before_seconds: 61 }], ['negative', { after_seconds: -1 }], ['no number', { before_seconds: '5' }], ['unknown', { seconds: 5 }], ['no object', [5]],
  ])('are refused where the request is %s', async (_what, json) => {
    expect(await site.send('POST', '/api/cameras/CAM-001/clips', { json })).toMatchObject({ status: 400, json: { code: 'bad_request' } });
  });

  it('are refused with the reason', async () => {
    expect(await site.send('POST', '/api/cameras/nobody/clips', { json: {} })).toMatchObject({ status: 404 });
    expect(await site.send('POST', '/api/cameras/CAM-001/clips')).toMatchObject({ status: 400 });
    face.failNext(new LookoutError('disk_full', 'there is no room for an MP4 file'));
    expect(await site.send('POST', '/api/cameras/CAM-001/clips', { json: {} })).toMatchObject({ status: 503, json: { code: 'disk_full' } });
    for (const query of ['limit=0', 'limit=501', 'limit=x', 'camera_id=a&camera_id=b']) expect((await site.send('GET', `/api/clips?${query}`)).status, query).toBe(400);
  });

  it('are played whole and in ranges, and are gone when they are removed', async () => {
    const { json } = await site.send('POST', '/api/cameras/CAM-001/clips', { json: {} });
    const { id } = json as { id: string };
    const file = join(folder, 'clip.mp4');
    await writeFile(file, '0123456789');
    face.clipFiles.set(id, file);
    const whole = await site.send('GET', `/api/clips/${id}/clip.mp4`);
    expect([whole.status, whole.text]).toEqual([200, '0123456789']);
    expect(whole.headers).toMatchObject({ 'content-type': 'video/mp4', 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache', 'content-disposition': `inline; filename="${id}.mp4"` });
    const part = await site.send('GET', `/api/clips/${id}/clip.mp4`, { headers: { range: 'bytes=2-4' } });
    expect([part.status, part.text, part.headers['content-range']]).toEqual([206, '234', 'bytes 2-4/10']);
    const none = await site.send('GET', `/api/clips/${id}/clip.mp4`, { headers: { range: 'bytes=20-' } });
    expect([none.status, none.headers['content-range']]).toEqual([416, 'bytes */10']);
    await rm(file);
    expect(await site.send('GET', `/api/clips/${id}/clip.mp4`)).toMatchObject({ status: 404, json: { code: 'not_found' } });
    expect((await site.send('DELETE', `/api/clips/${id}`)).json).toEqual({ id, status: 'removed' });
    for (const path of [`/api/clips/${id}`, `/api/clips/${id}/clip.mp4`, '/api/clips/..%2F..%2Fetc/clip.mp4']) expect((await site.send('GET', path)).status, path).toBe(404);
    expect((await site.send('DELETE', `/api/clips/${id}`)).status).toBe(404);
  });
});
