/** Clients of the push-frame server, unmodified, before the whole of Lookout. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measure } from '../../src/lib/jpeg.ts';
import { silentLog } from '../../src/lib/log.ts';
import { createCameraKeys } from '../../src/store/camera-keys.ts';
import type { Config, Detection } from '../../src/types.ts';
import { createPushCamera } from '../../src/videostream/camera.ts';
import { startTestApp, until, type TestApp } from '../helpers/app.ts';
import { hasChromium, launchChromium } from '../helpers/chromium.ts';
import { settle, startServer } from '../helpers/server-process.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/videostream/${name}`, import.meta.url));
const picture = (codec: string, size = '320x180'): Buffer => execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `testsrc=size=${size}:rate=1`, '-frames:v', '1', '-f', 'image2pipe', '-c:v', codec, '-']);
const JPEG = picture('mjpeg');
const BODIES: Readonly<Record<string, Buffer>> = {
  jpeg: JPEG, small: picture('mjpeg', '160x90'), png: picture('png'), bmp: picture('bmp'), torn: JPEG.subarray(0, JPEG.length - 500), text: Buffer.from('picture=1'), empty: Buffer.alloc(0), large: Buffer.alloc(200_001),
};
const PASSWORD = 'secret-of-the-camera';
const SETTINGS: Partial<Config> = { push_camera: 'SHIP 1', camera_password: PASSWORD, push_max_bytes: 200_000 };

interface Row {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly json?: string;
  readonly status: number;
  readonly type?: string;
  readonly text?: string;
  readonly matches?: string;
  readonly picture?: string;
  readonly answers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** With no header but those that are given. */
function send(url: string, { method, path, headers = {}, body, json }: Pick<Row, 'method' | 'path' | 'headers' | 'body' | 'json'>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(`${url}${path}`, { method, agent: false, headers: { ...(json === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part)).on('error', reject).on('end', () => { resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(parts) }); });
    });
    asked.on('error', reject).end(json ?? (body === undefined ? undefined : BODIES[body]));
  });
}

const upload = (url: string, isSpill = false, body = 'jpeg'): Promise<Answer> =>
  send(url, { method: 'POST', path: '/api/upload_frame', body, headers: { 'X-Camera-Auth': PASSWORD, 'Content-Type': 'image/jpeg', ...(isSpill && { 'X-Oil-Spill-Detected': 'true' }) } });

async function statusOf(url: string): Promise<Readonly<Record<string, unknown>>> {
  return (await fetch(`${url}/api/status`)).json() as Promise<Readonly<Record<string, unknown>>>;
}

/** What a viewer gets; it reads nothing where it is told so. */
function view(url: string, reads = true): { readonly text: () => string; readonly socket: Socket } {
  const { hostname, port } = new URL(url);
  let text = '';
  const socket = connect(Number(port), hostname, () => { socket.write('GET /stream HTTP/1.0\r\n\r\n'); });
  socket.on('error', () => undefined);
  if (reads) socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
  else socket.pause();
  return { text: () => text, socket };
}

const PART = '--frame\r\nContent-Type: image/jpeg\r\n\r\n';
/** Those that are whole. */
const partsIn = (text: string): readonly string[] => text.slice(text.indexOf('\r\n\r\n') + 4).split(PART).slice(1, -1);

describe('each request', () => {
  let lookout: TestApp;
  beforeAll(async () => { lookout = await startTestApp(SETTINGS); });
  afterAll(() => lookout.close());

  const rows = JSON.parse(readFileSync(fixture('requests.json'), 'utf8')) as readonly Row[];
  it.each(rows.map((row) => [row.name, row] as const))('%s', { retry: 0 }, async (_name, row) => {
    const { status, headers, bytes } = await send(lookout.url, row);
    const text = bytes.toString();
    expect(status, text.slice(0, 500)).toBe(row.status);
    if (row.type !== undefined) expect(headers['content-type']).toBe(row.type);
    if (row.text !== undefined) expect(text).toBe(row.text);
    if (row.matches !== undefined) expect(text).toMatch(new RegExp(row.matches));
    if (row.picture !== undefined) expect(bytes.equals(BODIES[row.picture] ?? Buffer.alloc(0))).toBe(true);
    if (row.type === 'image/jpeg') expect(measure(bytes)).toMatchObject({ type: 'jpg', width: 320, height: 180 });
    expect(headers).toMatchObject(row.answers ?? {});
  });

  it('leaves Lookout\'s own page to browsers, its own routes as they are, and tells of these in openapi.json', async () => {
    const page = await send(lookout.url, { method: 'GET', path: '/', headers: { Accept: 'text/html,*/*' } });
    expect([page.status, page.headers['content-security-policy'], page.bytes.toString()]).toEqual([200, expect.any(String), expect.stringContaining('<html')]);
    expect((await send(lookout.url, { method: 'GET', path: '/api/streams', headers: { Origin: 'http://other.example' } })).status).toBe(403);
    const { paths } = await (await fetch(`${lookout.url}/openapi.json`)).json() as { paths: object };
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/stream', '/api/frame', '/api/status', '/api/upload_frame', '/api/stop_stream']));
  });

  it('has made the camera\'s stream, and keeps its alert\'s picture and record', async () => {
    expect(lookout.stream('SHIP 1')).toMatchObject({ url: 'push:', models: [], origin: 'yaml', state: 'running' });
    const [event] = await (await fetch(`${lookout.url}/api/oil_spill_events`)).json() as { frame_path: string }[];
    expect((await readFile(join(lookout.config.data_dir, event?.frame_path ?? ''))).equals(JPEG)).toBe(true);
    await lookout.post('/stop_stream', { camera_id: 'SHIP 1' });
    const [record] = await lookout.records('SHIP%201', 1, 10_000);
    expect(record?.models).toHaveProperty('camera');
    const { detections } = record?.['oil_spill'] as { detections: readonly Detection[] };
    // How many of those that were uploaded in a row are kept is a matter of time.
    expect(new Set(detections.map((one) => `${one.class} ${one.confidence}`))).toEqual(new Set(['oil_spill 1']));
    expect((record?.['basic'] as { complaint_type: object }).complaint_type).toMatchObject({ oil_spill: 1 });
    // Nobody would record it.
    expect((await upload(lookout.url)).status).toBe(503);
  });

  it('is limited in its tries of passwords', async () => {
    const wrong = { method: 'POST', path: '/api/upload_frame', headers: { 'X-Camera-Auth': 'guess', 'X-Forwarded-For': '192.0.2.9' } };
    const statuses: number[] = [];
    for (let time = 0; time < 11; time += 1) statuses.push((await send(lookout.url, wrong)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    const right = await send(lookout.url, { ...wrong, headers: { 'X-Camera-Auth': PASSWORD, 'X-Forwarded-For': '192.0.2.9' } });
    expect([right.status, right.headers['retry-after']]).toEqual([429, '60']);
  });
});

describe('a server with a token', () => {
  const OWN = { token: 'sixteen-characters' };
  it.each<[Partial<Config>, number]>([
    [OWN, 401], [{ ...OWN, push_camera_viewers: 'open' }, 200], [{ host: '0.0.0.0' }, 401], [{ host: '0.0.0.0', push_camera_viewers: 'open' }, 200],
  ])('that is set, or made where other machines come in, says that it runs, and shows the camera to others where that is asked for: %j', async (settings, expected) => {
    const lookout = await startTestApp({ ...SETTINGS, ...settings });
    try {
      const token = settings.token ?? (await readFile(join(lookout.config.data_dir, 'token'), 'utf8')).trim();
      expect((await upload(lookout.url)).status).toBe(200);
      for (const path of ['/api/frame', '/api/status', '/api/oil_spill_events', '/api/detection_summary']) {
        expect((await send(lookout.url, { method: 'GET', path })).status, path).toBe(expected);
        expect((await send(lookout.url, { method: 'GET', path, headers: { Authorization: `Bearer ${token}` } })).status, path).toBe(200);
      }
      // Java names HTML, and is no browser.
      for (const headers of [{}, { Accept: 'text/html, image/gif, image/jpeg, */*; q=0.2', 'User-Agent': 'Java/17.0.1' }]) {
        const { status, bytes } = await send(lookout.url, { method: 'GET', path: '/', headers });
        expect([status, bytes.toString()]).toEqual([200, 'Video Streaming Server is running']);
      }
      expect((await send(lookout.url, { method: 'GET', path: '/', headers: { Accept: 'text/html,*/*;q=0.8', 'User-Agent': 'Mozilla/5.0 (X11)' } })).status).toBe(401);
      expect((await send(lookout.url, { method: 'GET', path: '/api/streams' })).status).toBe(401);
      expect(lookout.log().includes('everybody who reaches this server may watch camera SHIP 1')).toBe(expected === 200);
    } finally {
      await lookout.close();
    }
  });
});

describe('those who watch', () => {
  let lookout: TestApp;
  beforeAll(async () => {
    lookout = await startTestApp({ ...SETTINGS, batch_size: 100 });
    await upload(lookout.url);
  });
  afterAll(() => lookout.close());

  it('get a picture when it is new and once a second, part by part, until it is stopped', async () => {
    const viewer = view(lookout.url);
    await until(() => partsIn(viewer.text()).length >= 1, 2000, viewer.text);
    await upload(lookout.url);
    await until(() => partsIn(viewer.text()).length >= 2, 500, viewer.text);
    const before = partsIn(viewer.text()).length;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(partsIn(viewer.text()).length - before).toBe(2);
    expect(viewer.text()).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: multipart\/x-mixed-replace; boundary=frame\r\n|boundary=frame/);
    expect(partsIn(viewer.text()).every((part) => part === `${JPEG.toString('latin1')}\r\n`)).toBe(true);
    // The next head is there with the picture: browsers wait for it.
    expect(viewer.text().endsWith(`\r\n${PART}`)).toBe(true);
    const ended = new Promise((resolve) => viewer.socket.once('close', resolve));
    await send(lookout.url, { method: 'POST', path: '/api/stop_stream', json: JSON.stringify({ password: PASSWORD }) });
    await ended;
    await send(lookout.url, { method: 'POST', path: '/api/start_stream', json: JSON.stringify({ password: PASSWORD }) });
  });

  it('hold up nobody: not those who read nothing, among fifty, nor what a hundred cameras push', async () => {
    const cameras = Array.from({ length: 100 }, (_, index) => `P-${index}`);
    const keys = createCameraKeys(lookout.config.data_dir);
    const key = new Map<string, string>();
    for (const camera of cameras) {
      key.set(camera, await keys.make(camera));
      await lookout.app.streams.start({ camera_id: camera, url: 'push:', models: [], options: { interval_seconds: 0, batch_size: 100 } });
    }
    const viewers = Array.from({ length: 50 }, (_, index) => view(lookout.url, index >= 10));
    await until(() => viewers.slice(10).every(({ text }) => partsIn(text()).length > 0), 10_000, () => 'not all viewers see it');
    const before = process.memoryUsage().rss;
    const took: number[] = [];
    const pushed: number[] = [];
    const second = async (): Promise<void> => {
      await Promise.all([
        (async () => {
          for (let each = 0; each < 10; each += 1) {
            const begun = performance.now();
            expect((await upload(lookout.url)).status).toBe(200);
            took.push(performance.now() - begun);
          }
        })(),
        ...cameras.map(async (camera, index) => {
          await new Promise((resolve) => setTimeout(resolve, index * 9));
          pushed.push((await fetch(`${lookout.url}/api/cameras/${camera}/frames`, { method: 'POST', headers: { 'X-Camera-Auth': key.get(camera) ?? '' }, body: JPEG })).status);
        }),
      ]);
    };
    for (let seconds = 0; seconds < 3; seconds += 1) await second();
    for (const { socket } of viewers) socket.destroy();
    expect(pushed.filter((status) => status !== 202)).toEqual([]);
    expect(pushed).toHaveLength(300);
    // Whoever waits for one that reads nothing waits for ever: the rest is how busy the machine is, beside which the benchmark tells them apart.
    expect(took.sort((a, b) => a - b)[Math.floor(took.length * 0.9)]).toBeLessThan(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  }, 120_000);
});

describe.skipIf(!hasChromium)('Chromium (skipped where it is absent)', () => {
  it('shows the stream in a page of another site, the newest picture at once, and nothing else', async () => {
    const lookout = await startTestApp(SETTINGS);
    const own = `${lookout.url}/api/cameras/SHIP%201/latest.jpg`;
    const page = createServer((_request, response) => { response.setHeader('Content-Type', 'text/html'); response.end(`<img id=seen src="${lookout.url}/stream"><img src="${own}"><a href="${own}">a</a>`); });
    await new Promise<void>((resolve) => { page.listen(0, '127.0.0.1', resolve); });
    const browser = await launchChromium();
    try {
      expect((await upload(lookout.url)).status).toBe(200);
      const tab = await browser.newPage();
      const network = await tab.context().newCDPSession(tab);
      const statuses: number[] = [];
      network.on('Network.responseReceivedExtraInfo', ({ statusCode }) => { statuses.push(statusCode); });
      await network.send('Network.enable');
      await tab.goto(`http://localhost:${(page.address() as AddressInfo).port}/`, { waitUntil: 'commit' });
      const width = (): Promise<number> => tab.evaluate('document.querySelector("#seen")?.naturalWidth ?? 0');
      await until(async () => await width() === 320, 10_000, () => 'nothing is shown');
      expect((await upload(lookout.url, false, 'small')).status).toBe(200);
      // Before it is repeated.
      await until(async () => await width() === 160, 800, () => 'the new one is not shown');
      await until(() => Promise.resolve(statuses.includes(403)), 5000, () => `answered ${statuses.join()}`);
      const [followed] = await Promise.all([tab.waitForResponse(own), tab.click('a')]);
      expect(followed.status()).toBe(200);
    } finally {
      await browser.close();
      page.close();
      await lookout.close();
    }
  });
});

describe('a client that uploads with requests', () => {
  it('is answered as it always was', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-requests-'));
    const lookout = await startTestApp(SETTINGS);
    try {
      await writeFile(join(folder, 'picture.jpg'), JPEG);
      const { stdout } = await promisify(execFile)('/usr/bin/python3', [fixture('camera.py'), lookout.url, PASSWORD, join(folder, 'picture.jpg'), '3']);
      expect(stdout.trim().split('\n')).toEqual([...Array<string>(3).fill('200 Frame received'), "200 {'status': 'Stream started'}", 'multipart/x-mixed-replace; boundary=frame True']);
      expect(await statusOf(lookout.url)).toMatchObject({ oil_spill_events: 1, oil_spill_detected: false, stream_active: true });
    } finally {
      await lookout.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a restart', () => {
  it('keeps history and state, also of a server that is killed, and pictures of one second apart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-videostream-'));
    const start = async (): ReturnType<typeof startServer> => {
      const started = await startServer({ folder, flags: ['--push-camera', 'SHIP', '--format', 'ndjson'], env: { CAMERA_PASSWORD: PASSWORD } });
      // Its streams begin a little later.
      await until(async () => (await fetch(`${started.url}/readyz`)).ok, 10_000, started.output);
      return started;
    };
    let server = await start();
    try {
      for (const isSpill of [true, false, true, false, true]) expect((await upload(server.url, isSpill)).status).toBe(200);
      await send(server.url, { method: 'POST', path: '/api/stop_stream', json: JSON.stringify({ password: PASSWORD }) });
      const events = await (await fetch(`${server.url}/api/oil_spill_events`)).json() as { frame_path: string }[];
      expect(events).toHaveLength(3);
      await server.kill9();
      server = await start();
      expect(await statusOf(server.url)).toMatchObject({ oil_spill_events: 3, oil_spill_detected: true, stream_active: false });
      expect(await (await fetch(`${server.url}/api/oil_spill_events`)).json()).toEqual(events);
      expect((await readdir(join(folder, 'data', 'oil_spill_frames'))).map((name) => `oil_spill_frames/${name}`).sort()).toEqual(events.map(({ frame_path }) => frame_path).sort());
      expect(new Set(events.map(({ frame_path }) => frame_path)).size).toBe(3);
      // Oil is still seen: that is no other alert. Stopped is stopped.
      expect((await upload(server.url, true)).status).toBe(200);
      expect(await statusOf(server.url)).toMatchObject({ oil_spill_events: 3, stream_active: false });
      await send(server.url, { method: 'POST', path: '/api/start_stream', json: JSON.stringify({ password: PASSWORD }) });
      expect((await fetch(`${server.url}/api/frame`)).status).toBe(200);
      expect(await server.stop()).toBe(0);
      server = await start();
      expect((await settle(server)).recorded).toBeGreaterThanOrEqual(2);
      expect((await statusOf(server.url))['last_frame_time']).toBeGreaterThan(Date.now() / 1000 - 60);
    } finally {
      await server.kill9();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('finds no oil that no alert has told of, whenever it was killed', async () => {
    const data_dir = await mkdtemp(join(tmpdir(), 'lookout-videostream-'));
    const found: string[] = [];
    /** What a server that is killed now finds. */
    const look = async (): Promise<void> => {
      const { state, total } = JSON.parse(await readFile(join(data_dir, 'oil_spill.json'), 'utf8').catch(() => '{"state":{},"total":0}')) as { state: { oil_spill_detected?: boolean }; total: number };
      found.push(`${state.oil_spill_detected === true ? 'oil' : 'none'} ${total}`);
    };
    try {
      const camera = await createPushCamera({
        config: { data_dir, jpeg_quality: 90 }, push: () => Promise.resolve(), localTime: (moment) => moment, expectOurs: look, log: silentLog, signal: new AbortController().signal,
      });
      for (const isSpill of [true, false, true]) await camera.upload(JPEG, isSpill);
      await camera.close();
      await look();
      expect(found.filter((one, index) => one !== found[index - 1])).toEqual(['none 0', 'oil 1', 'none 1', 'oil 2']);
    } finally {
      await rm(data_dir, { recursive: true, force: true });
    }
  });

  it('begins anew where the history is damaged, which is put aside', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-videostream-'));
    try {
      await mkdir(join(folder, 'data'));
      await writeFile(join(folder, 'data', 'oil_spill.json'), '{"state":{"stream_act');
      const lookout = await startTestApp(SETTINGS, folder);
      expect(await statusOf(lookout.url)).toMatchObject({ oil_spill_events: 0, stream_active: false });
      expect(lookout.log()).toContain('oil_spill.json is damaged');
      await lookout.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
