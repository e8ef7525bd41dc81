/**
 * A server under conditions that nobody chose: clocks that jump, few descriptors, no locale, no home, as the first process
 * of a container. It captures, records and stops in order, and the books balance by name.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import type { BatchRecord } from '../../src/types.ts';
import { until } from '../helpers/app.ts';
import { expectBalance, readBooksByName } from '../helpers/books-by-name.ts';
import { watchFrames } from '../helpers/frame-watcher.ts';
import { AS_NOBODY, mayRunAsNobody, NOBODY } from '../helpers/nobody.ts';
import { settle, startServer, type ServerProcess, type StartOptions } from '../helpers/server-process.ts';
import { readRecords } from '../helpers/records-file.ts';
import { tellFigure } from './figures.ts';

const FAKETIME = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1'].find(existsSync);
/** As in a container: process ids and shared memory of one's own. */
const CONTAINER = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', 'mount -t tmpfs tmpfs /dev/shm && exec "$@"', 'sh'] as const;
const mayUnshare = process.getuid?.() === 0 && spawnSync(CONTAINER[0], [...CONTAINER.slice(1), 'true']).status === 0;

let camera: DemoCamera;
beforeAll(async () => {
  camera = await startDemoCamera({ cameras: { scene: { kind: 'scene', width: 320, height: 180, fps: 10, keyframe_seconds: 0.2 } } }, new AbortController().signal);
});
afterAll(() => camera.close());

const SHARED = '/dev/shm';
/** What processes share of a fake clock, named by the first of them, which leaves it behind when it is killed. */
afterAll(async () => {
  for (const name of existsSync(SHARED) ? await readdir(SHARED) : []) {
    const pid = /^(?:faketime_shm|sem\.faketime_sem)_(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await rm(join(SHARED, name), { force: true });
  }
});

/** Words before a command that is to be their child, though they would become it. */
const forked = (...words: readonly string[]): readonly string[] => ['sh', '-c', '"$@"; exit', 'sh', ...words];

interface Run {
  readonly server: ServerProcess;
  readonly folder: string;
  /** Waits until so many batches are recorded. */
  readonly recorded: (count: number) => Promise<void>;
  readonly records: () => Promise<readonly BatchRecord[]>;
}

/** Runs a server so, with a stream of a picture each 0.3 s; afterwards everything must be where it belongs. */
async function underCondition({ onTestFinished, task }: Pick<TestContext, 'onTestFinished' | 'task'>, options: Omit<StartOptions, 'folder'> & { readonly owner?: number }, work: (run: Run) => Promise<void>, id = 'CAM-1'): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-condition-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const watcher = watchFrames(join(folder, 'frames'));
  onTestFinished(() => { watcher.close(); });
  if (options.owner !== undefined) for (const path of [folder, join(folder, 'frames')]) await chown(path, options.owner, options.owner);
  const server = await startServer({ folder, ...options });
  onTestFinished(() => { server.kill('SIGKILL'); });
  await server.ask('/start_stream', { camera_id: id, model_name: ['motion'], rtsp_url: camera.url('scene'), interval_seconds: 0.3, batch_size: 3, capture_mode: 'keyframes' });
  const records = (): Promise<readonly BatchRecord[]> => readRecords(join(folder, 'data/predictions.json'));
  await work({
    server, folder, records,
    recorded: (count) => until(async () => (await records()).length >= count, 40_000, () => server.output().slice(-3000)),
  });
  await server.ask('/stop_stream', { camera_id: id });
  const books = await settle(server);
  expect(await server.stop(), server.output()).toBe(0);
  expectBalance(await readBooksByName(folder), watcher.frames, books);
  // Its one picture in ten may come late on a busy machine, and is counted.
  expect(Object.keys(books.dropped).filter((reason) => reason !== 'slow_consumer')).toEqual([]);
  tellFigure('conditions', `${task.name.replace(/ \(missed.*/, '')}: ${books.captured} frames, each in one place`);
}

const newestOf = (records: readonly BatchRecord[]): number => Date.parse(records.at(-1)?.batch.frames.at(-1)?.captured_at ?? '');
const HOUR_MS = 3_600_000;

interface FakeClock {
  /** The environment of a process whose clock goes by it. */
  readonly env: Readonly<Record<string, string>>;
  /** Seconds before or after the true time from now on. */
  readonly set: (seconds: number) => Promise<void>;
}

async function fakeClock({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, seconds: number): Promise<FakeClock> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-clock-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'offset');
  const set = (offset: number): Promise<void> => writeFile(file, `${offset < 0 ? '' : '+'}${offset}s\n`);
  await set(seconds);
  await chmod(folder, 0o755);
  return { set, env: { LD_PRELOAD: FAKETIME ?? '', FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' } };
}

// Several conditions in each of two servers, which cost seconds of a processor, and run at a time.
describe.concurrent('a server does', () => {
  it.skipIf(FAKETIME === undefined)(`with 256 descriptors${mayUnshare ? ', as the first process of a container' : ''}, when its clock jumps an hour forward, and leaves no zombie (missed where libfaketime is absent)`, async (test) => {
    const clock = await fakeClock(test, 0);
    const descriptors = ['prlimit', '--nofile=256:256'];
    const under = mayUnshare ? [...CONTAINER, ...descriptors] : forked(...descriptors);
    await underCondition(test, { under, env: clock.env }, async ({ server, recorded, records }) => {
      await recorded(2);
      await clock.set(3600);
      await recorded((await records()).length + 3);
      // Of a busy machine's records the next few may be older.
      await until(async () => Math.abs(newestOf(await records()) - (Date.now() + HOUR_MS)) < 10_000, 20_000, () => 'no record has the new time');
      camera.disconnect('scene');
      await recorded((await records()).length + 2);
      expect(await server.ask('/api/streams')).toMatchObject({ streams: [{ camera_id: 'CAM-1', state: 'running' }] });
      const children = (await readFile(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')).trim().split(' ').filter(Boolean);
      const states = await Promise.all(children.map(async (pid) => /\) (\S)/.exec(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))?.[1]));
      expect(states).not.toContain('Z');
    });
  });

  it.skipIf(FAKETIME === undefined || !mayRunAsNobody)('as a service user without a home and without a locale, for a camera whose name needs one, when summer time ends and the clock jumps an hour back (missed where libfaketime is absent, the tests do not run as root, or the project lies where others may not read)', async (test) => {
    const since = (time: string): number => Math.round((Date.parse(time) - Date.now()) / 1000);
    const clock = await fakeClock(test, since('2026-10-25T00:50:00Z'));
    // The tests' own TMPDIR may be closed to another user.
    const env = { ...clock.env, HOME: '/nonexistent', TMPDIR: '/tmp', USER: 'nobody', LANG: 'C', LC_ALL: 'C' };
    const id = 'Straße-北';
    await underCondition(test, { env, flags: ['--time-zone', 'Europe/Berlin'], under: forked(...AS_NOBODY), owner: NOBODY }, async ({ server, recorded, records }) => {
      await recorded(2);
      // 02:59:59 in Berlin, a second before it is 02:00:00 again.
      await clock.set(since('2026-10-25T00:59:59Z'));
      await recorded((await records()).length + 4);
      const times = (await records()).map(({ batch }) => batch.started_at);
      expect(new Set(times.map((time) => time.slice(-6)))).toEqual(new Set(['+02:00', '+01:00']));
      const absolute = times.map((time) => Date.parse(time));
      expect(absolute).toEqual([...absolute].sort((a, b) => a - b));

      const before = since('2026-10-25T00:00:00Z');
      await clock.set(before);
      await recorded((await records()).length + 3);
      // Of a busy machine's records the next few may be older.
      await until(async () => Math.abs(newestOf(await records()) - (Date.now() + before * 1000)) < 10_000, 20_000, () => 'no record has the new time');
      expect(await server.ask('/api/streams')).toMatchObject({ streams: [{ camera_id: id, state: 'running' }] });
    }, id);
  });
});
