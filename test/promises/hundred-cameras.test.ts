/** A hundred cameras of 720p25, a picture every 3 s each, for ten minutes: none late, none missing. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { BatchRecord, StreamStatus } from '../../src/types.ts';
import { until } from '../helpers/app.ts';
import { cpuSeconds } from '../helpers/process-tree.ts';
import { settle, startServer } from '../helpers/server-process.ts';
import { hasPeer, startPeer } from '../helpers/shared.ts';
import { inFull, tellFigure } from './figures.ts';

const CAMERAS = Number(process.env['LOOKOUT_CAMERAS'] ?? 100);
const MINUTES = 10;
const INTERVAL_SECONDS = 3;
/** Of dog-street.mp4. */
const KEY_FRAME_SPACING_SECONDS = 2;
const MARGIN_SECONDS = 1;

it.skipIf(!hasPeer || !inFull)(`shows ${CAMERAS} cameras every ${INTERVAL_SECONDS} s for ${MINUTES} minutes (missed where LOOKOUT_FIGURES is not set, or ../shared is absent)`, async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-hundred-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const names = Array.from({ length: CAMERAS }, (_, index) => `cam${index + 1}`);
  const peer = await startPeer(Object.fromEntries(names.map((name) => [name, 'dog-street.mp4'])), MINUTES + 5);
  onTestFinished(() => peer.close());
  const server = await startServer({ folder, flags: ['--keep-frames', 'none', '--log-level', 'error'] });
  onTestFinished(() => { server.kill('SIGKILL'); });
  for (const camera_id of names) await server.ask('/start_stream', { camera_id, rtsp_url: peer.url(camera_id), model_name: ['motion'], interval_seconds: INTERVAL_SECONDS });
  const streams = async (): Promise<readonly StreamStatus[]> => ((await server.ask('/api/streams')) as { streams: readonly StreamStatus[] }).streams;
  await until(async () => (await streams()).every(({ last_frame_at }) => last_frame_at !== null), 120_000, server.output);
  // Each has learned by then how its camera is looked at best.
  await sleep(60_000);

  const from = new Date().toISOString();
  const before = cpuSeconds(server.pid);
  await sleep(MINUTES * 60_000);
  const to = new Date().toISOString();
  const processors = (cpuSeconds(server.pid) - before) / (MINUTES * 60);
  const reconnects = (await streams()).reduce((sum, stream) => sum + stream.reconnects, 0);
  for (const camera_id of names) await server.ask('/stop_stream', { camera_id });
  const books = await settle(server);
  expect(await server.stop()).toBe(0);

  const times = new Map<string, number[]>();
  for (const file of (await readdir(join(folder, 'data'))).filter((name) => /^predictions.*\.json$/.test(name))) {
    for (const { basic, batch } of JSON.parse(await readFile(join(folder, 'data', file), 'utf8')) as BatchRecord[]) {
      const camera = String((basic as { camID?: unknown } | undefined)?.camID);
      const own = batch.frames.map(({ captured_at }) => captured_at).filter((time) => time >= from && time <= to).map((time) => Date.parse(time));
      times.set(camera, [...(times.get(camera) ?? []), ...own]);
    }
  }
  const gaps = [...times.values()].flatMap((own) => own.sort((a, b) => a - b).slice(1).map((time, index) => (time - (own[index] ?? 0)) / 1000));
  const longest = Math.max(...gaps);
  const late = gaps.filter((gap) => gap > INTERVAL_SECONDS + KEY_FRAME_SPACING_SECONDS + MARGIN_SECONDS).length;
  const pictures = gaps.length + times.size;
  tellFigure('hundred', `${CAMERAS} cameras: ${pictures} pictures, ${late} late, longest gap ${longest.toFixed(1)} s, dropped ${JSON.stringify(books.dropped)}, ${reconnects} reconnects, ${processors.toFixed(2)} processors`);
  expect(times.size).toBe(CAMERAS);
  expect({ late, dropped: books.dropped, reconnects }).toEqual({ late: 0, dropped: {}, reconnects: 0 });
}, (MINUTES + 8) * 60_000);
