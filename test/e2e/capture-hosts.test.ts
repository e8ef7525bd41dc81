/**
 * Cameras run while the hosts that capture them die again and again: their pictures come back within seconds, other hosts'
 * cameras notice nothing, and every frame is in exactly one place, by name.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startDemoCamera } from '../../src/demo/index.ts';
import type { StreamStatus } from '../../src/types.ts';
import { until } from '../helpers/app.ts';
import { expectBalance, readBooksByName } from '../helpers/books-by-name.ts';
import { watchFrames } from '../helpers/frame-watcher.ts';
import { alive, descendants, hostsOf } from '../helpers/process-tree.ts';
import { settle, startServer } from '../helpers/server-process.ts';
import { hasLibav } from '../sources/feeds/native/clips.ts';
import { inFull, tellFigure } from '../promises/figures.ts';

const DEATHS = inFull ? 100 : 4;
const CAMERAS = inFull ? 20 : 4;
const KEY_FRAME_SPACING_MS = 400;
/** Connected again within this, and the next key frame is a picture. */
const BACK_MS = 5000 + KEY_FRAME_SPACING_MS;
/** Of a busy machine's. */
const MARGIN_MS = 3000;

it.skipIf(!hasLibav)(`brings the pictures of ${CAMERAS} cameras back each of ${DEATHS} times that their host dies (missed where the binary of node-av is absent)`, async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-hosts-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const camera = await startDemoCamera({ cameras: { scene: { kind: 'scene', width: 320, height: 180, fps: 10, keyframe_seconds: KEY_FRAME_SPACING_MS / 1000 } } }, new AbortController().signal);
  onTestFinished(() => camera.close());
  const watcher = watchFrames(join(folder, 'frames'));
  onTestFinished(() => { watcher.close(); });
  const server = await startServer({ folder, flags: ['--capture-engine', 'libav'] });
  onTestFinished(() => { server.kill('SIGKILL'); });
  const ids = Array.from({ length: CAMERAS }, (_, index) => `CAM-${index}`);
  for (const camera_id of ids) await server.ask('/start_stream', { camera_id, rtsp_url: camera.url('scene'), model_name: ['motion'], interval_seconds: 0.4, batch_size: 3 });
  const streams = async (): Promise<readonly StreamStatus[]> => ((await server.ask('/api/streams')) as { streams: readonly StreamStatus[] }).streams;
  const allNewerThan = (ms: number): Promise<void> => until(async () => (await streams()).every(({ last_frame_at }) => Date.parse(last_frame_at ?? '') > ms), 30_000, server.output);
  await allNewerThan(0);

  const backMs: number[] = [];
  for (let death = 0; death < DEATHS; death += 1) {
    await sleep(Math.random() * 1500);
    const [host] = hostsOf(server.pid);
    expect(host, server.output()).toBeDefined();
    const killedMs = Date.now();
    process.kill(host ?? NaN, death % 2 === 0 ? 'SIGKILL' : 'SIGSEGV');
    await allNewerThan(killedMs + 200);
    backMs.push(Date.now() - killedMs);
  }
  const seen = await streams();
  for (const camera_id of ids) await server.ask('/stop_stream', { camera_id });
  const books = await settle(server);
  await expect.poll(() => hostsOf(server.pid), { timeout: 15_000 }).toEqual([]);
  const children = descendants(server.pid);
  expect(await server.stop()).toBe(0);
  await expect.poll(() => alive(children), { timeout: 2000 }).toEqual([]);

  expectBalance(await readBooksByName(folder), watcher.frames, books);
  const longestMs = Math.max(...backMs);
  const alone = seen.filter(({ reason }) => /process of its own|by ffmpeg/.test(reason)).length;
  tellFigure('hosts', `${DEATHS} deaths under ${CAMERAS} cameras: all pictures back after ${(longestMs / 1000).toFixed(1)} s at the latest, ${books.captured} frames each in one place; ${alone} cameras were given a process of their own`);
  expect(longestMs).toBeLessThan(BACK_MS + MARGIN_MS);
}, 60_000 + DEATHS * 20_000);
