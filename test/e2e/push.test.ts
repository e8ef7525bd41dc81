/** Cameras that push, to the whole of Lookout: from the picture to its record. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCameraKeys } from '../../src/store/camera-keys.ts';
import type { Batch, BatchRecord, Config, Detection } from '../../src/types.ts';
import { startTestApp, until, type TestApp } from '../helpers/app.ts';
import { runLookout, startServer, type ServerProcess } from '../helpers/server-process.ts';

const JPEG = execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=1', '-frames:v', '1', '-f', 'image2pipe', '-c:v', 'mjpeg', '-']);
const root = fileURLToPath(new URL('../..', import.meta.url));
type Settings = Partial<Config> & { readonly keep_frames?: string };

interface Pushed { readonly captured_at: string; readonly taken: boolean }

async function push(url: string, camera: string, key: string, headers: Readonly<Record<string, string>> = {}, body: Buffer = JPEG): Promise<{ readonly status: number; readonly body: Pushed }> {
  const response = await fetch(`${url}/api/cameras/${encodeURIComponent(camera)}/frames`, { method: 'POST', headers: { 'X-Camera-Auth': key, ...headers }, body });
  return { status: response.status, body: await response.json() as Pushed };
}

const found = (record: BatchRecord): readonly Detection[] => (record['camera'] as { detections: Detection[] }).detections;

describe('a camera that pushes', () => {
  let lookout: TestApp;
  let key: string;

  beforeAll(async () => {
    lookout = await startTestApp({ keep_frames: 'all', batch_size: 2 } as Settings);
    key = await createCameraKeys(lookout.config.data_dir).make('CAM 1');
  });
  afterAll(() => lookout.close());

  it('needs no model: what it has seen is recorded, with the picture byte for byte', async () => {
    expect((await lookout.post('/start_stream', { camera_id: 'CAM 1', rtsp_url: 'push:', models: [], interval_seconds: 0 })).status).toBe(200);
    expect(lookout.stream('CAM 1')).toMatchObject({ url: 'push:', models: [], state: 'starting' });
    expect((await push(lookout.url, 'CAM 1', key, { 'X-Finding': 'oil%20spill;0.75;10,20,30,40' })).body.taken).toBe(true);
    expect((await push(lookout.url, 'CAM 1', key)).body.taken).toBe(true);
    const [record] = await lookout.records('CAM%201', 1, 10_000);
    if (!record) throw new Error('no record');
    expect(found(record)).toEqual([{ class: 'oil spill', confidence: 0.75, box: [10, 20, 30, 40], frame: 0 }]);
    expect(record.models).toEqual({ camera: expect.objectContaining({ runtime: 'push', looked: 2, error: null, skipped: [] }) as unknown });
    expect(Buffer.from((record['basic'] as { frame_base64: string }).frame_base64, 'base64').equals(JPEG)).toBe(true);
    // The books are written after the record.
    await expect.poll(() => lookout.stream('CAM 1').books, { timeout: 5000 }).toMatchObject({ captured: 2, recorded: 2 });
    expect(lookout.stream('CAM 1')).toMatchObject({ state: 'running', reason: 'capturing (pushed)', models: [], capture_mode: 'pushed' });
  });

  it('may say twice that a picture was taken in the same moment, long after the first was recorded', async () => {
    const time = { 'X-Captured-At': new Date(Date.now() - 5000).toISOString() };
    for (let each = 0; each < 4; each += 1) expect((await push(lookout.url, 'CAM 1', key, time)).body.taken).toBe(true);
    const all = await lookout.records('CAM%201', 3, 10_000);
    await push(lookout.url, 'CAM 1', key, time);
    await push(lookout.url, 'CAM 1', key, time);
    const files = (await lookout.records('CAM%201', 4, 10_000)).flatMap(({ batch }) => batch.frames.map(({ file }) => file));
    expect(all.length).toBe(3);
    expect(new Set(files).size).toBe(8);
  });

  it('has one stream, whose key is its own and whose name must be known', async () => {
    expect((await push(lookout.url, 'CAM 1', 'wrong')).status).toBe(401);
    expect((await push(lookout.url, 'CAM-2', key)).status).toBe(401);
    const second = await createCameraKeys(lookout.config.data_dir).make('CAM-2');
    expect((await push(lookout.url, 'CAM-2', second)).status).toBe(404);
    expect((await push(lookout.url, 'CAM 1', key, {}, JPEG.subarray(0, 2000))).status).toBe(400);
    expect((await push(lookout.url, 'CAM 1', key, {}, Buffer.from('text'))).status).toBe(415);
  });

  it.each([
    [{ camera_id: 'X', rtsp_url: 'rtsp://192.0.2.1/', models: [] }, 'model'],
    [{ camera_id: 'X', rtsp_url: 'rtsp://192.0.2.1/', interval_seconds: 0 }, 'interval_seconds'],
    [{ camera_id: 'X', rtsp_url: 'push:', models: [], interval_seconds: 0.01 }, 'interval_seconds'],
    [{ camera_id: 'X', rtsp_url: 'rtsp://192.0.2.1/', models: ['camera'] }, 'unknown model'],
  ])('alone may do without a model and have every picture: %j', async (asked, words) => {
    const { status, body } = await lookout.post('/start_stream', asked);
    expect([status, (body as { error: string }).error]).toEqual([400, expect.stringContaining(words)]);
  });

  it('cannot be looked at before it comes', async () => {
    expect((await lookout.post('/api/probe', { rtsp_url: 'push:' })).status).toBe(400);
  });

  it('is asked for no more often than sixty times a second, and nothing breaks', async () => {
    const begun = performance.now();
    const statuses = await Promise.all(Array.from({ length: 120 }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * 16));
      return (await push(lookout.url, 'CAM 1', key)).status;
    }));
    expect(statuses.filter((status) => status !== 202 && status !== 503)).toEqual([]);
    expect(statuses.filter((status) => status === 202).length).toBeGreaterThan(10);
    expect(performance.now() - begun).toBeLessThan(30_000);
  });

  it('that is silent is said to be away, and is back with its next picture', async () => {
    await until(() => lookout.stream('CAM 1').state === 'reconnecting', 20_000, () => lookout.stream('CAM 1').reason);
    expect(lookout.stream('CAM 1').reason).toBe('the camera has pushed nothing for 10 s; goes on with the next picture');
    const begun = performance.now();
    expect((await push(lookout.url, 'CAM 1', key)).body.taken).toBe(true);
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(lookout.stream('CAM 1').state).toBe('running');
    await lookout.post('/stop_stream', { camera_id: 'CAM 1' });
    expect((await push(lookout.url, 'CAM 1', key)).status).toBe(409);
  });
});

it('is what docs/push.md says, line by line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-push-docs-'));
  const page = await readFile(join(root, 'docs', 'push.md'), 'utf8');
  const [start = '', , upload = ''] = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');
  const lookout = await startTestApp({ push_camera: 'SHIP-8', camera_password: 'secret-of-the-camera' }, folder);
  try {
    await writeFile(join(folder, 'picture.jpg'), JPEG);
    const shell = (code: string): Promise<{ readonly stdout: string }> => promisify(execFile)('bash', ['-c', code.replaceAll('http://127.0.0.1:5000', lookout.url).replace('dist/cli.js', join(root, 'dist', 'cli.js'))], { cwd: folder });
    expect((await shell(start)).stdout).toMatch(/"status": "started"\n}\n\{"camera_id":"SHIP-7","captured_at":"[^"]+","taken":true,"note":null\}$/);
    expect((await shell(upload)).stdout).toBe('Frame received');
  } finally {
    await lookout.close();
    await rm(folder, { recursive: true, force: true });
  }
});

describe('a server that is killed', () => {
  const settings = { format: 'ndjson', batch_size: 4, keep_frames: 'none', model_retries: 20 } as const;
  const flags = Object.entries(settings).flatMap(([key, value]) => [`--${key.replaceAll('_', '-')}`, String(value)]);
  let folder: string;
  let server: ServerProcess;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lookout-push-'));
    server = await startServer({ folder, flags });
  });
  afterAll(async () => {
    await server.kill9();
    await rm(folder, { recursive: true, force: true });
  });

  it('has recorded, once it runs again, whatever it said that it took', async () => {
    const made = await runLookout(['cameras', 'key', 'CAM'], { folder });
    expect(await made.ended).toBe(0);
    const key = made.printed().trim();
    expect(key).toMatch(/^[\w-]{43}$/);
    const [file = ''] = await readdir(join(folder, 'data', 'camera-keys'));
    const stored = await readFile(join(folder, 'data', 'camera-keys', file), 'utf8');
    expect(stored).not.toContain(key);
    expect(JSON.parse(stored)).toMatchObject({ camera_id: 'CAM', sha256: createHash('sha256').update(key).digest('hex') });
    await server.ask('/start_stream', { camera_id: 'CAM', rtsp_url: 'push:', models: [], interval_seconds: 0 });
    const taken: string[] = [];
    for (let kill = 0; kill < 4; kill += 1) {
      if (kill > 0) server = await startServer({ folder, flags });
      let over = false;
      const pushing = Array.from({ length: 3 }, async (_, client) => {
        for (let each = 0; !over; each += 1) {
          const name = `${kill}-${client}-${each}`;
          const { status, body } = await push(server.url, 'CAM', key, { 'X-Finding': name }).catch(() => ({ status: 0, body: { taken: false } }));
          if (status === 202 && body.taken) taken.push(name);
          if (status === 0) return;
        }
      });
      const before = taken.length;
      await until(() => taken.length >= before + 6 + kill, 40_000, server.output);
      await server.kill9();
      over = true;
      await Promise.all(pushing);
    }
    const last = await startTestApp(settings, folder);
    await until(() => last.app.face.books().in_spool === 0, 60_000, last.log);
    const books = last.app.face.books();
    await last.close();
    const records = (await readFile(join(folder, 'data', 'predictions.ndjson'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as BatchRecord);
    const seen = records.flatMap(found).map((finding) => finding.class);
    expect(taken.length).toBeGreaterThanOrEqual(30);
    expect(taken.filter((name) => !seen.includes(name))).toEqual([]);
    expect(new Set(seen).size).toBe(seen.length);
    expect(records.some(({ batch }) => batch.closed_by === ('recovered' satisfies Batch['closed_by']))).toBe(true);
    expect(books.captured).toBe(books.recorded);
    // Nothing is left beside the frames that are gone.
    expect((await readdir(join(folder, 'frames'), { recursive: true })).filter((name) => name.includes('findings'))).toEqual([]);
  }, 180_000);
});
