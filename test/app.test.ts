/** The whole of Lookout from its start to its end, as the outside sees it. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createApp } from '../src/app.ts';
import { serveUntil } from '../src/commands/serve.ts';
import { loadConfig } from '../src/config/load.ts';
import { LookoutError } from '../src/errors.ts';
import { silentLog, type Log } from '../src/lib/log.ts';
import { startTestApp } from './helpers/app.ts';

it('is ready between its start and its end only, and starts no stream while it stops', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-app-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data/lookout.yaml'), 'followers: [{name: room, type: webhook, url: "http://127.0.0.1:1/"}]\n');
  const { config } = await loadConfig({ flags: { port: 0 }, env: {}, cwd: folder });
  const app = await createApp(config, silentLog);
  const { url } = await app.listen();
  const ready = async (): Promise<unknown> => (await fetch(`${url}/readyz`)).json();
  expect(await ready()).toMatchObject({
    status: 'not_ready', not_ready: ['Lookout is starting'],
    parts: [{ part: 'server', ready: false, reasons: ['Lookout is starting'] }, ...['disk', 'records'].map((part) => ({ part, ready: true, reasons: [] }))],
    storage: ['data', 'frames'].map((name) => ({ folder: name, free_bytes: expect.any(Number) as number, size_bytes: expect.any(Number) as number })),
  });
  // That there are none would not be true: they have not begun.
  expect((await fetch(`${url}/api/followers`)).status).toBe(503);
  expect((await fetch(`${url}/metrics`)).status).toBe(200);
  await app.follow();
  expect(await (await fetch(`${url}/api/followers`)).json()).toMatchObject({ followers: [{ name: 'room' }] });
  app.capture();
  expect(await ready()).toMatchObject({ status: 'ready', not_ready: [] });
  const closing = app.close();
  expect(app.face.notReady()).toEqual(['Lookout is stopping']);
  await expect(app.face.start({ camera_id: 'CAM-1', url: 'rtsp://192.0.2.1/s' })).rejects.toMatchObject({ code: 'shutting_down' });
  await closing;
});

it('removes what a kill left of files in folders that only it writes to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-app-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { config } = await loadConfig({ flags: { port: 0, push_camera: 'SHIP' }, env: { CAMERA_PASSWORD: 'x' }, cwd: folder });
  const left = ['followers/hook.json.0123abcd.tmp', 'oil_spill_frames/oil_spill_20250101.jpg.0123abcd.tmp'].map((name) => join(config.data_dir, name));
  for (const name of left) {
    await mkdir(join(name, '..'), { recursive: true });
    await writeFile(name, '');
  }
  const app = await createApp(config, silentLog);
  await app.follow();
  await app.close();
  expect(left.filter((name) => existsSync(name))).toEqual([]);
});

it('hears during its start that it is to stop: no camera is begun, and its folders are free again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-app-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { config } = await loadConfig({ flags: { port: 0 }, env: {}, cwd: folder });
  const stopping = new LookoutError('shutting_down', 'Lookout is stopping');
  for (const when of ['http', 'records', 'stream', 'never']) {
    const stop = new AbortController();
    const log: Log = { ...silentLog, part: (part) => {
      if (part === when) stop.abort(stopping);
      return silentLog;
    } };
    const serving = serveUntil(stop.signal, config, log, () => Promise.reject(new Error('it has started')));
    await expect(serving, when).rejects.toThrow(when === 'never' ? 'it has started' : 'Lookout is stopping');
  }
});

it('starts no stream for whoever asks over HTTP where a cloud tells its secrets, however that is written', async () => {
  const lookout = await startTestApp({ offline: true, grace_seconds: 1 });
  try {
    for (const host of ['169.254.169.254', '[::ffff:a9fe:a9fe]', '2852039166', 'metadata.google.internal']) {
      for (const scheme of ['http', 'rtsp']) {
        const asked = { camera_id: 'CAM-1', rtsp_url: `${scheme}://${host}/latest/meta-data`, model_name: 'motion' };
        expect(await lookout.post('/start_stream', asked), asked.rtsp_url).toMatchObject({ status: 400, body: { error: expect.stringContaining('may not be opened') as string } });
      }
    }
    expect(lookout.app.face.streams()).toEqual([]);
  } finally {
    await lookout.close();
  }
});

it('starts, and its cameras come up, whatever lies damaged in its folders; each thing is told in one line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-app-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const stored = (camera_id: string, options: object): object => ({ camera_id, url: 'rtsp://127.0.0.1:1/x', models: ['motion'], options, enabled: true });
  const damaged: Readonly<Record<string, string>> = {
    'data/books.ndjson': '{"camera_id":"a","batch":"b","outcome":"recorded","frames":-5000}\n',
    'data/streams.json': `${JSON.stringify([stored('good', {}), stored('bad', { batch_size: 1e9 })]).slice(0, -1)},{"camera`,
    'data/predictions.json': '[\n{"batch":{"id":"a"}},\n{"batch":{"id":"b"\n{"batch":{"id":"c"}}\n]\n',
    'data/records.idx': 'no index\n',
    'data/camera_data.csv': '\0\0',
    'data/dead-letter/x_00000000-1/batch.json': 'null',
    'frames/CAM_0a1b2c3d/session.json': '{"lookout":1,"na',
  };
  for (const [name, text] of Object.entries(damaged)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const lookout = await startTestApp({ offline: true, grace_seconds: 1 }, folder);
  try {
    expect(lookout.app.face.streams().map(({ camera_id, enabled, capturing }) => [camera_id, enabled, capturing])).toEqual([['good', true, true]]);
    expect(lookout.app.face.books()).toMatchObject({ captured: 0, recorded: 0 });
    expect(await lookout.app.face.records({ limit: 10, pictures: false })).toEqual([{ batch: { id: 'c' } }, { batch: { id: 'a' } }]);
    for (const told of ['books.ndjson', 'streams.json', 'predictions.json', 'dead-letter', 'CAM_0a1b2c3d']) {
      expect(lookout.log().split('\n').filter((line) => / (warn|error) /.test(line) && line.includes(told)), told).toHaveLength(1);
    }
  } finally {
    await lookout.close();
  }
});
