/**
 * Three cameras run while the server is killed again and again at random moments; afterwards every frame is in exactly
 * one place, by name. LOOKOUT_CRASH_KILLS=60 makes it sixty kills instead of eight.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { until } from '../helpers/app.ts';
import { expectBalance, readBooksByName } from '../helpers/books-by-name.ts';
import { watchFrames, type FrameWatcher } from '../helpers/frame-watcher.ts';
import { alive, descendants } from '../helpers/process-tree.ts';
import { runLookout, settle, startServer } from '../helpers/server-process.ts';
import { tellFigure } from '../promises/figures.ts';

const KILLS = Number(process.env['LOOKOUT_CRASH_KILLS'] ?? 8);
/** Cameras and their models: `picky` fails on a third of all batches. */
const CAMERAS = { north: ['motion'], east: ['motion', 'picky'], south: ['picky'] };
const FLAGS = ['--models-dir', fileURLToPath(new URL('../fixtures/crash', import.meta.url)), '--model-retries', '1'];

let folder: string;
let camera: DemoCamera;
let watcher: FrameWatcher;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-crash-'));
  camera = await startDemoCamera({
    cameras: { scene: { kind: 'scene', width: 320, height: 180, fps: 10, keyframe_seconds: 0.2 } },
  }, new AbortController().signal);
  watcher = watchFrames(join(folder, 'frames'));
});

afterAll(async () => {
  watcher.close();
  await camera.close();
  await rm(folder, { recursive: true, force: true });
});

/** Every other time it is killed after a time from its very start, while it may still take up what the last one left. */
async function runAndKill(round: number): Promise<void> {
  const listens = round % 2 === 0;
  const server = listens ? await startServer({ folder, flags: FLAGS }) : await runLookout(['serve', '--port', '0', ...FLAGS], { folder });
  await delay(300 + Math.random() * 2700);
  const children = descendants(server.pid);
  server.kill('SIGKILL');
  expect(await server.ended, server.output()).toBeNull();
  await until(() => alive(children).length === 0, 2000, () => `alive after the server: ${JSON.stringify(alive(children))}`);
}

it(`loses no frame of three cameras and records none twice when it is killed ${KILLS} times`, { retry: 0, timeout: 60_000 + KILLS * 10_000 }, async () => {
  const first = await startServer({ folder, flags: FLAGS });
  for (const [camera_id, model_name] of Object.entries(CAMERAS)) {
    await first.ask('/start_stream', { camera_id, model_name, rtsp_url: camera.url('scene'), interval_seconds: 0.2, batch_size: 3, capture_mode: 'keyframes' });
  }
  await first.kill9();
  for (let round = 1; round < KILLS; round += 1) await runAndKill(round);

  const last = await startServer({ folder, flags: FLAGS });
  await delay(3000);
  for (const camera_id of Object.keys(CAMERAS)) await last.ask('/stop_stream', { camera_id });
  const books = await settle(last);
  expect(await last.stop()).toBe(0);
  expectBalance(await readBooksByName(folder), watcher.frames, books);
  expect(books.recorded).toBeGreaterThan(0);
  tellFigure('kills', `${KILLS} kills, ${books.captured} frames, each in one place`);
});
