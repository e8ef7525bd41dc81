/** The whole road over real RTSP: camera, frames, batch, isolated models, one record. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { checkRecord } from '../../src/record/schema.ts';
import { shareEnvironments } from '../helpers/environments.ts';
import { parseExposition } from '../helpers/exposition.ts';
import type { BatchRecord } from '../../src/types.ts';
import { startTestApp, until, type TestApp } from '../helpers/app.ts';
import { readRecords } from '../helpers/records-file.ts';

const STREET = { kind: 'scene', width: 320, height: 180, fps: 10, keyframe_seconds: 0.5 } as const;

let folder: string;
let camera: DemoCamera;
let lookout: TestApp;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-road-'));
  await shareEnvironments(join(folder, 'data'));
  camera = await startDemoCamera({
    cameras: { street: STREET, corner: STREET, pasture: { kind: 'pasture' } },
    auth: { user: 'user', password: 'p@ss:w#rd' },
  }, new AbortController().signal);
  lookout = await startTestApp({}, folder);
  await writeFile(lookout.config.camera_data, 'cameraID,latitude,longitude\nCAM-001,26.4499,80.3319\n\n');
});

afterAll(async () => {
  await lookout.close();
  await camera.close();
  await rm(folder, { recursive: true, force: true });
});

it('makes one record of ten frames with every model asked, and forgets the frames', async () => {
  const started = await lookout.post('/start_stream', {
    rtsp_url: camera.url('street', true), camera_id: 'CAM-001', model_name: ['motion', 'animals'], interval_seconds: 0.5,
  });
  expect(started).toEqual({ status: 200, body: { camera_id: 'CAM-001', model_name: ['motion', 'animals'], status: 'started' } });

  const [record] = await lookout.records('CAM-001', 1, 90_000);
  if (!record) throw new Error('no record');
  checkRecord(record);
  expect(record).toMatchObject({
    basic: { camID: 'CAM-001', Latitude: 26.4499, Longitude: 80.3319 },
    pothole: null,
    batch: { closed_by: 'count' },
    models: { motion: { error: null, detector: 'frame difference' } },
  });
  expect(record.batch.frames).toHaveLength(10);
  expect((record.motion as { detections: unknown[] }).detections.length).toBeGreaterThan(0);

  expect((await readRecords(lookout.config.predictions))[0]).toEqual(record);
  const session = join(lookout.config.frames_dir, record.batch.session);
  await until(async () => {
    const left = new Set(await readdir(session));
    return record.batch.frames.every(({ file }) => !left.has(file.split('/')[1] ?? ''));
  }, 5000, () => 'frames of a written record are still in the spool');
  const { captured, recorded, dead_lettered, dropped, in_spool } = lookout.app.face.books();
  expect(captured).toBe(recorded + dead_lettered + in_spool + Object.values(dropped).reduce((sum, n) => sum + n, 0));
});

it('answers already_running for a camera that runs, and goes on with the one batch', async () => {
  const again = await lookout.post('/start_stream', { rtsp_url: 'rtsp://elsewhere/x', camera_id: 'CAM-001' });
  expect(again).toEqual({ status: 200, body: { camera_id: 'CAM-001', status: 'already_running' } });
});

it('reconnects when the camera cuts the connection, and the batch goes on', async () => {
  const { session, reconnects } = lookout.stream('CAM-001');
  camera.disconnect('street');
  await until(() => lookout.stream('CAM-001').reconnects > reconnects && lookout.stream('CAM-001').state === 'running', 20_000, () => JSON.stringify(lookout.stream('CAM-001')));
  expect(lookout.stream('CAM-001')).toMatchObject({ session, last_error: { code: 'stream_ended' } });
  await lookout.post('/stop_stream', { camera_id: 'CAM-001' });
});

it('finds the sheep of the demo in every frame of a batch that it looks at, with the embedded detector', async () => {
  await lookout.post('/start_stream', { rtsp_url: camera.url('pasture', true), camera_id: 'PASTURE', model_name: 'animals', interval_seconds: 2, batch_size: 3 });
  // A machine that is busy with other tests may get to none of the first batch, and not to all three of another.
  const lookedIn = ({ models }: BatchRecord): number => models['animals']?.looked ?? 0;
  let record: BatchRecord | undefined;
  for (let count = 1; record === undefined; count += 1) record = (await lookout.records('PASTURE', count, 60_000)).find((one) => lookedIn(one) > 0);
  const { detections } = record['stray_animal'] as { readonly detections: readonly { readonly class: string; readonly frame: number; readonly confidence: number }[] };
  const sure = detections.filter((one) => one.class === 'sheep' && one.confidence > 0.5).map(({ frame }) => frame);
  expect(new Set(sure).size).toBe(lookedIn(record));
});

it('shows no credentials in any answer, log line or process list', async () => {
  const seen = JSON.stringify(lookout.app.face.streams()) + lookout.log() + (await readFile(lookout.config.predictions, 'utf8'));
  expect(seen).not.toContain('w#rd');
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // A process may end while it is looked at.
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.includes('ffmpeg')) expect(words).not.toContain('w#rd');
  }
});

it('flushes the open batch when a stream is stopped, with the reason in the record', async () => {
  await lookout.post('/start_stream', { rtsp_url: camera.url('corner', true), camera_id: 7, model_name: 'motion', interval_seconds: 0.5 });
  await until(() => lookout.stream('7').open_batch >= 2, 20_000, () => JSON.stringify(lookout.stream('7')));
  expect(await lookout.post('/stop_stream', { camera_id: 7 })).toEqual({ status: 200, body: { camera_id: 7, status: 'stopped' } });
  const [record] = await lookout.records('7', 1, 20_000);
  expect(record?.batch).toMatchObject({ closed_by: 'stopped' });
  expect(lookout.stream('7')).toMatchObject({ camera_id: 7, state: 'stopped', enabled: false });
  await until(async () => !(await readdir(lookout.config.frames_dir)).some((name) => name.startsWith('7_')), 5000, () => 'the session folder is still there');
});

it('tells Prometheus what the API tells', async () => {
  const { body } = await fetch(`${lookout.url}/metrics`).then(async (answer) => ({ body: parseExposition(await answer.text()) }));
  const { records, books } = lookout.stream('7');
  expect(body.value('lookout_records_written_total', { camera_id: '7' })).toBe(records);
  expect(body.value('lookout_frames_captured_total', { camera_id: '7' })).toBe(books.captured);
  expect(body.value('lookout_stream_state', { camera_id: '7', state: 'stopped' })).toBe(1);
  // A busy machine may have missed one.
  expect(books.captured).toBe(books.recorded + (books.dropped['slow_consumer'] ?? 0));
  expect(books.recorded).toBeGreaterThan(0);
  expect(body.value('lookout_model_frames_looked_total', { model: 'motion', camera_id: '7' })).toBe(books.recorded);
  expect(body.value('lookout_model_inference_seconds_total', { model: 'motion' })).toBeGreaterThan(0);
  expect(body.value('lookout_runner_memory_bytes', { model: 'motion', runner: '0' })).toBeGreaterThan(1e6);
});
