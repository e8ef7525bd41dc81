/**
 * Twenty cameras of an RTSP server by others, `motion`, and a model at twice its capacity that one camera ends once a
 * minute, for as long as LOOKOUT_SOAK_MINUTES says: to see trends, which take longer than a test may.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import type { ModelStatus } from '../../src/types.ts';
import { until } from '../helpers/app.ts';
import { expectBalance, readBooksByName } from '../helpers/books-by-name.ts';
import { watchFrames } from '../helpers/frame-watcher.ts';
import { memoryMb } from '../helpers/process-tree.ts';
import { settle, startServer } from '../helpers/server-process.ts';
import { hasPeer, startPeer } from '../helpers/shared.ts';
import { slope } from '../promises/slope.ts';

const minutes = Number(process.env['LOOKOUT_SOAK_MINUTES'] ?? 0);
const MINUTE_MS = 60_000;
/** Trends begin once everything is warm. */
const WARM_MINUTES = 5;
const CAMERAS = Array.from({ length: 20 }, (_, index) => `cam${index + 1}`);
const BAD = 'cam13';
const COLLECTS = fileURLToPath(new URL('../fixtures/collects.cjs', import.meta.url));

/** Of the 6.7 frames a second that come, it looks at 3.3. */
const MODEL = `
import { readFileSync, writeFileSync } from 'node:fs';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const last = (file) => { try { return Number(readFileSync(file, 'utf8')); } catch { return 0; } };
export async function predictFrame(frame, { stamp }) {
  if (frame.stream.startsWith('${BAD}_') && Date.now() - last(stamp) > ${MINUTE_MS}) {
    writeFileSync(stamp, String(Date.now()));
    process.exit(7);
  }
  await wait(300);
  return [];
}
`;

it.skipIf(!hasPeer || minutes === 0)('serves twenty cameras evenly and without a trend (missed where LOOKOUT_SOAK_MINUTES is not set, or ../shared is absent)', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-soak-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(folder, 'models/double'), { recursive: true });
  await writeFile(join(folder, 'models/double/model.yaml'), `runtime: node\nentry: model.mjs\noptions: { stamp: ${join(folder, 'stamp')} }\n`);
  await writeFile(join(folder, 'models/double/model.mjs'), MODEL);
  const peer = await startPeer(Object.fromEntries(CAMERAS.map((name) => [name, 'dog-street.mp4'])), minutes + 3);
  onTestFinished(() => peer.close());
  const watcher = watchFrames(join(folder, 'frames'));
  onTestFinished(() => { watcher.close(); });
  const server = await startServer({ folder, flags: ['--keep-frames', 'none'], env: { NODE_OPTIONS: `--require=${COLLECTS}` } });
  onTestFinished(() => { server.kill('SIGKILL'); });
  for (const camera_id of CAMERAS) await server.ask('/start_stream', { rtsp_url: peer.url(camera_id), camera_id, model_name: ['motion', 'double'] });

  const began = Date.now();
  const memory: (readonly [minute: number, mb: number])[] = [];
  await until(async () => {
    // What is held, without what V8 will collect sooner or later.
    server.kill('SIGUSR2');
    await sleep(1000);
    memory.push([(Date.now() - began) / MINUTE_MS, memoryMb(server.pid)]);
    await sleep(20_000);
    return Date.now() - began > minutes * MINUTE_MS;
  }, (minutes + 1) * MINUTE_MS, server.output);

  const { models } = await server.ask('/api/models') as { models: readonly ModelStatus[] };
  const { cameras = {}, restarts } = models.find(({ name }) => name === 'double') ?? {};
  const looked = Object.fromEntries(CAMERAS.map((camera) => [camera, cameras[camera]?.looked ?? 0]));
  const healthy = CAMERAS.filter((camera) => camera !== BAD).map((camera) => looked[camera] ?? 0);
  const mean = healthy.reduce((sum, one) => sum + one, 0) / healthy.length;
  const trend = slope(memory.filter(([minute]) => minute > Math.min(WARM_MINUTES, minutes / 2)));
  console.log({ looked, perSecond: mean * CAMERAS.length / (minutes * 60), restarts, trendMbPerMinute: trend, mb: memory.at(-1)?.[1], captured: watcher.frames.size });
  for (const camera of CAMERAS) await server.ask('/stop_stream', { camera_id: camera });
  const books = await settle(server);
  expect(await server.stop()).toBe(0);
  expectBalance(await readBooksByName(folder), watcher.frames, books);
  expect(Math.max(...healthy.map((one) => Math.abs(one - mean) / mean)), JSON.stringify(looked)).toBeLessThan(0.2);
  expect(restarts).toBeGreaterThanOrEqual(Math.floor(minutes / 2));
  expect(trend).toBeLessThanOrEqual(1);
}, (minutes + 5) * MINUTE_MS);
