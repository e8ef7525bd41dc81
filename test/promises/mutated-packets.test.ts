/** Cameras whose packets are changed at random on their way cost nothing but their own pictures: the others keep their pace, and they come back by themselves. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startDemoCamera, startRelay, type PacketRule } from '../../src/demo/index.ts';
import type { StreamStatus } from '../../src/types.ts';
import { until } from '../helpers/app.ts';
import { expectBalance, readBooksByName } from '../helpers/books-by-name.ts';
import { watchFrames } from '../helpers/frame-watcher.ts';
import { mutated, random } from '../helpers/mutations.ts';
import { hostsOf, memoryMb } from '../helpers/process-tree.ts';
import { settle, startServer } from '../helpers/server-process.ts';
import { hasLibav } from '../sources/feeds/native/clips.ts';
import { clip, hasPeer } from '../helpers/shared.ts';
import { inFull, tellFigure } from './figures.ts';

const MINUTES = Number(process.env['LOOKOUT_MINUTES'] ?? 10);
const INTERVAL_SECONDS = 1;
/** Of the packets. Of those, some lie about their length, and whoever reads on has lost the thread. */
const [CHANGED, LYING] = [0.01, 0.0002];
const MOST_HOST_MB = 600;
/** A camera that breaks off again and again waits up to half a minute. */
const BACK_MS = 45_000;
const HEAD = 4;

it.skipIf(!hasPeer || !hasLibav || !inFull)(`bears ${MINUTES} minutes of mutated packets (missed where LOOKOUT_FIGURES is not set, or ../shared or the binary of node-av is absent; sources/rtp/fuzz is the short form)`, async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-mutated-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const h265 = join(folder, 'h265.mp4');
  execFileSync('ffmpeg', ['-loglevel', 'error', '-i', clip('car-detection.mp4'), '-t', '20', '-an', '-c:v', 'libx265', '-x265-params', 'log-level=none:bframes=2:keyint=25', '-preset', 'ultrafast', h265]);
  const clips = { h264: clip('dog-street.mp4'), bframes: clip('dog-street-bframes.mp4'), h265 };
  const camera = await startDemoCamera({ cameras: Object.fromEntries(Object.entries(clips).map(([name, file]) => [name, { kind: 'clip', file }])) }, new AbortController().signal);
  onTestFinished(() => camera.close());

  const packets = { inAll: 0, changed: 0 };
  const changing = (seed: number) => (): PacketRule => {
    const next = random(seed);
    return ({ bytes }) => {
      packets.inAll += 1;
      if (next() > CHANGED) return [bytes];
      packets.changed += 1;
      if (next() < LYING / CHANGED) return [mutated(bytes, next)];
      const packet = mutated(bytes.subarray(HEAD), next);
      const head = Buffer.from(bytes.subarray(0, HEAD));
      head.writeUInt16BE(packet.length, 2);
      return [head, packet];
    };
  };
  const relays = await Promise.all(Object.keys(clips).map(async (name) => ({ name, relay: await startRelay(camera.url(name)) })));
  for (const { relay } of relays) onTestFinished(relay.close);

  const watcher = watchFrames(join(folder, 'frames'));
  onTestFinished(() => { watcher.close(); });
  const server = await startServer({ folder, flags: ['--capture-engine', 'libav', '--keep-frames', 'none', '--snapshot', 'none', '--log-level', 'error'] });
  onTestFinished(() => { server.kill('SIGKILL'); });
  const start = (camera_id: string, rtsp_url: string): Promise<unknown> => server.ask('/start_stream', { camera_id, rtsp_url, model_name: ['motion'], interval_seconds: INTERVAL_SECONDS, batch_size: 5 });
  for (const name of Object.keys(clips)) await start(`whole-${name}`, camera.url(name));
  for (const { name, relay } of relays) await start(`broken-${name}`, relay.url);
  const streams = async (): Promise<readonly StreamStatus[]> => ((await server.ask('/api/streams')) as { streams: readonly StreamStatus[] }).streams;
  const allNewerThan = (ms: number): Promise<void> => until(async () => (await streams()).every(({ last_frame_at }) => Date.parse(last_frame_at ?? '') > ms), BACK_MS, server.output);
  await allNewerThan(0);

  const capturedOf = async (): Promise<Record<string, number>> => Object.fromEntries((await streams()).map(({ camera_id, books }) => [camera_id, books.captured]));
  const before = await capturedOf();
  const hosts = new Set(hostsOf(server.pid));
  for (const [index, { relay }] of relays.entries()) await relay.become({ packets: changing(index + 1) });
  const begunMs = Date.now();
  let mostMb = 0;
  while (Date.now() - begunMs < MINUTES * 60_000) {
    await sleep(1000);
    for (const host of hostsOf(server.pid)) {
      hosts.add(host);
      mostMb = Math.max(mostMb, memoryMb(host));
    }
  }
  const due = (Date.now() - begunMs) / 1000 / INTERVAL_SECONDS;
  const after = await capturedOf();
  for (const { relay } of relays) await relay.become(null);
  const honestMs = Date.now();
  await allNewerThan(honestMs);
  const backMs = Date.now() - honestMs;
  const reconnects = (await streams()).filter(({ camera_id }) => String(camera_id).startsWith('broken')).reduce((sum, stream) => sum + stream.reconnects, 0);
  for (const { camera_id } of await streams()) await server.ask('/stop_stream', { camera_id });
  const books = await settle(server);
  expect(await server.stop()).toBe(0);
  expectBalance(await readBooksByName(folder), watcher.frames, books);

  const shares = Object.entries(after).map(([id, captured]) => [id, (captured - (before[id] ?? 0)) / due] as const);
  const least = (kind: string): number => Math.min(...shares.filter(([id]) => id.startsWith(kind)).map(([, share]) => share));
  tellFigure('packets', `${packets.changed} of ${packets.inAll} packets changed in ${MINUTES} minutes: ${Math.round(100 * least('whole'))} % of the pictures due of the cameras beside them, ${Math.round(100 * least('broken'))} % of their own at least; ${hosts.size - 1} hosts ended, at most ${Math.round(mostMb)} MB each; ${reconnects} reconnects, all back after ${(backMs / 1000).toFixed(1)} s`);
  expect(least('whole')).toBeGreaterThan(0.95);
  expect(least('broken')).toBeGreaterThan(0);
  expect(packets.changed).toBeGreaterThan(packets.inAll * CHANGED / 2);
  expect(mostMb).toBeLessThan(MOST_HOST_MB);
}, (MINUTES + 5) * 60_000);
