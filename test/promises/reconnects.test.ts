/** Cameras that come and go, and hosts that die under them, leave nothing behind: no process, no thread, no descriptor, no file, no memory. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startDemoCamera } from '../../src/demo/index.ts';
import type { StreamStatus } from '../../src/types.ts';
import { until } from '../helpers/app.ts';
import { alive, descendants, hostsOf, memoryMb } from '../helpers/process-tree.ts';
import { settle, startServer } from '../helpers/server-process.ts';
import { inFull, tellFigure } from './figures.ts';
import { slope } from './slope.ts';

// A stream that is cut soon after it came waits up to half a minute, so many have to do it.
const STREAMS = 60;
const ROUNDS = 38;
/** Once everything has been used a few times, what is used often is compiled, and what is remembered for some minutes is full. */
const WARM_ROUNDS = 20;
/** After the rounds. */
const DEATHS = 20;
const MOST_MB_PER_THOUSAND = 1;
const COLLECTS = fileURLToPath(new URL('../fixtures/collects.cjs', import.meta.url));

it.skipIf(!inFull)(`leaves nothing behind after ${STREAMS * ROUNDS} reconnects and ${DEATHS} deaths of a host (missed where LOOKOUT_FIGURES is not set; sources/reconnects is the short form)`, async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-reconnects-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const camera = await startDemoCamera({ cameras: { scene: { kind: 'scene', width: 320, height: 180, fps: 5, keyframe_seconds: 0.4 } } }, new AbortController().signal);
  onTestFinished(() => camera.close());
  // What is known of each kept picture, and of each of the newest batches, would be counted for the reconnects.
  const server = await startServer({ folder, flags: ['--keep-frames', 'none', '--snapshot', 'none'], env: { NODE_OPTIONS: `--require=${COLLECTS}` } });
  onTestFinished(() => { server.kill('SIGKILL'); });
  const ids = Array.from({ length: STREAMS }, (_, index) => `CAM-${index}`);
  const streams = async (): Promise<readonly StreamStatus[]> => ((await server.ask('/api/streams')) as { streams: readonly StreamStatus[] }).streams;
  const descriptors = async (): Promise<number> => (await readdir(`/proc/${server.pid}/fd`)).length;
  const threads = async (): Promise<number> => (await readdir(`/proc/${server.pid}/task`)).length;
  const start = (camera_id: string): Promise<unknown> => server.ask('/start_stream', { camera_id, rtsp_url: camera.url('scene'), model_name: ['motion'], interval_seconds: 2, batch_size: 20, capture_mode: 'keyframes' });
  const stop = (camera_id: string): Promise<unknown> => server.ask('/stop_stream', { camera_id });
  const newer = (than: string): Promise<void> => until(async () => (await streams()).every(({ last_frame_at }) => last_frame_at !== null && last_frame_at > than), 60_000, server.output);

  // Whatever is opened once and stays: the model's runner, the log.
  await start('CAM-0');
  await newer('');
  await stop('CAM-0');
  await settle(server);
  const [before, threadsBefore, runners] = [await descriptors(), await threads(), descendants(server.pid)];

  for (const id of ids) await start(id);
  const memory: (readonly [round: number, mb: number])[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await newer(new Date().toISOString());
    camera.disconnect('scene');
    server.kill('SIGUSR2');
    await sleep(1000);
    if (round >= WARM_ROUNDS) memory.push([round, memoryMb(server.pid)]);
  }
  await newer(new Date().toISOString());
  const beforeDeaths = memoryMb(server.pid);
  for (let death = 0; death < DEATHS; death += 1) {
    const [host] = hostsOf(server.pid);
    expect(host, server.output()).toBeDefined();
    process.kill(host ?? NaN, 'SIGKILL');
    await newer(new Date(Date.now() + 200).toISOString());
    server.kill('SIGUSR2');
    await sleep(1000);
  }
  const perDeath = (memoryMb(server.pid) - beforeDeaths) / DEATHS;
  const reconnects = (await streams()).reduce((sum, stream) => sum + stream.reconnects, 0);
  for (const id of ids) await stop(id);
  await settle(server);

  expect(reconnects).toBeGreaterThanOrEqual(STREAMS * ROUNDS);
  const known = new Set(runners.map(({ pid }) => pid));
  // A capture host without cameras is kept for ten seconds.
  await expect.poll(() => alive(descendants(server.pid)).filter(({ pid }) => !known.has(pid)), { timeout: 20_000 }).toEqual([]);
  // The connection of whoever asked last may still be kept.
  await expect.poll(descriptors, { timeout: 10_000 }).toBeLessThanOrEqual(before + 1);
  expect(await threads()).toBeLessThanOrEqual(threadsBefore);
  expect((await readdir(join(folder, 'frames'))).filter((name) => !name.startsWith('.'))).toEqual([]);
  const perThousand = slope(memory) * 1000 / STREAMS;
  tellFigure('reconnects', `0 processes, 0 threads, 0 descriptors, 0 files after ${reconnects} reconnects and ${DEATHS} deaths of a host; memory ${perThousand < 0 ? 'falls' : 'grows'} by ${Math.abs(perThousand).toFixed(2)} MB per 1,000 reconnects, and ${perDeath < 0 ? 'falls' : 'grows'} by ${Math.abs(perDeath).toFixed(2)} MB with each death`);
  expect(perThousand).toBeLessThanOrEqual(MOST_MB_PER_THOUSAND);
}, 60_000 + ROUNDS * 45_000);
