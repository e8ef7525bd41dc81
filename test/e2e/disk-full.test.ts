/** A disk that is full, or read-only, under the real server: no record is lost, their order is kept, and it goes on without a restart. */
import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorInfo } from '../../src/errors.ts';
import { isNoRoom } from '../../src/lib/transient.ts';
import type { Balance, BatchRecord, StreamStatus } from '../../src/types.ts';
import { startTestApp, until } from '../helpers/app.ts';
import { expectBalance, readBooksByName } from '../helpers/books-by-name.ts';
import { watchFrames } from '../helpers/frame-watcher.ts';
import { runLookout, settle, startServer, type ServerProcess } from '../helpers/server-process.ts';
import { canFreeze, canMount, mountHangingDisk, mountSmallDisk, type SmallDisk } from '../helpers/small-disk.ts';
import { tellFigure } from '../promises/figures.ts';

const CAMERAS = ['NORTH', 'SOUTH'];

let pictures: string;
beforeAll(async () => {
  pictures = await mkdtemp(join(tmpdir(), 'lookout-pictures-'));
  // Noise is large: a few hundred fill the disk.
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=1,noise=alls=40:allf=t', '-frames:v', '8', '-q:v', '3', join(pictures, '%d.jpg')]);
  for (let number = 9; number <= 400; number += 1) await link(join(pictures, `${1 + (number % 8)}.jpg`), join(pictures, `${number}.jpg`));
});
afterAll(() => rm(pictures, { recursive: true, force: true }));

/** Of tests that run at a time each has its own. */
type Finished = (work: () => Promise<void> | void) => void;

interface Site {
  readonly disk: SmallDisk;
  readonly server: ServerProcess;
  states(): Promise<{ readonly streams: readonly StreamStatus[]; readonly books: Balance }>;
  /** Waits until all streams say so of themselves. */
  all(state: string, reason: RegExp): Promise<void>;
  /** Waits until so many frames more were recorded. */
  recordsMore(frames: number): Promise<void>;
  /** Stops the server and starts it again; `meanwhile` is done between. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  /** Stops the streams, waits until all is settled, stops the server, and looks for every frame. */
  close(): Promise<Balance>;
}

/** Of the usual places in a project's folder those named lie on the small disk. */
async function open(onTestFinished: Finished, onDisk: readonly string[], settings: object = {}, disk = mountSmallDisk(6)): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-full-'));
  let server: ServerProcess | null = null;
  onTestFinished(async () => {
    await server?.stop();
    disk.unmount();
    await rm(folder, { recursive: true, force: true });
  });
  for (const name of ['data', 'frames']) {
    const place = onDisk.includes(name) ? join(disk.folder, name) : join(folder, name);
    await mkdir(place);
    if (onDisk.includes(name)) await symlink(place, join(folder, name));
  }
  if (onDisk.includes('records')) {
    await writeFile(join(disk.folder, 'records.json'), '');
    await symlink(join(disk.folder, 'records.json'), join(folder, 'data', 'predictions.json'));
  }
  const options = { interval_seconds: 0.1, batch_size: 3 };
  await writeFile(join(folder, 'lookout.yaml'), JSON.stringify({
    models_dir: fileURLToPath(new URL('../fixtures/crash', import.meta.url)), snapshot: 'none', keep_frames: 'all', ...settings,
    streams: CAMERAS.map((camera_id) => ({ camera_id, url: pathToFileURL(pictures).href, models: ['seeing'], options })),
  }));
  const watcher = watchFrames(join(folder, 'frames'));
  onTestFinished(() => { watcher.close(); });
  const start = async (): Promise<ServerProcess> => (server = await startServer({ folder, flags: ['--config', 'lookout.yaml'] }));
  let running = await start();
  const states: Site['states'] = async () => await running.ask('/api/streams') as Awaited<ReturnType<Site['states']>>;
  const told = async (): Promise<string> => `${JSON.stringify(await states())}\n${running.output().slice(-4000)}`;
  return {
    disk, states,
    get server() {
      return running;
    },
    async all(state, reason) {
      let last: readonly StreamStatus[] = [];
      const are = async (): Promise<boolean> => {
        last = (await states()).streams;
        return last.every((one) => one.state === state && reason.test(one.reason));
      };
      await until(are, 30_000, () => `${JSON.stringify(last)}\n${running.output().slice(-4000)}`);
    },
    async recordsMore(frames) {
      const { books: { recorded } } = await states();
      let text = '';
      await until(async () => {
        text = await told();
        return (await states()).books.recorded >= recorded + frames;
      }, 30_000, () => text);
    },
    async restart(meanwhile) {
      expect(await running.stop()).toBe(0);
      await meanwhile();
      running = await start();
    },
    async close() {
      for (const camera of CAMERAS) await running.ask('/stop_stream', { camera_id: camera });
      const books = await settle(running);
      expect(await running.stop()).toBe(0);
      const byName = await readBooksByName(folder);
      expectBalance(byName, watcher.frames, books);
      await expectOrder(join(folder, 'data', 'predictions.json'));
      return books;
    },
  };
}

async function expectOrder(predictions: string): Promise<void> {
  const records = JSON.parse(await readFile(predictions, 'utf8')) as readonly BatchRecord[];
  for (const camera of CAMERAS) {
    const ids = records.map(({ batch }) => batch.id).filter((id) => id.startsWith(camera));
    expect(ids.length).toBeGreaterThan(3);
    // Whatever the session: their ids end in the time of their first frame.
    const times = ids.map((id) => id.slice(id.lastIndexOf('-')));
    expect(times).toEqual([...times].sort());
  }
}

describe.skipIf(!canMount)('on a small disk (needs leave to mount)', () => {
  it.concurrent('kept pictures make room; a disk that others fill stops the capture, and it goes on by itself', async ({ onTestFinished }) => {
    const site = await open(onTestFinished, ['data', 'frames'], { min_free_bytes: 1_000_000 });
    await until(() => site.server.output().includes('kept pictures are let go'), 20_000, site.server.output);
    await site.recordsMore(20);
    // Somebody else takes all there is, and all that is let go for it.
    const filler = join(site.disk.folder, 'filler');
    await until(async () => {
      await writeFile(filler, Buffer.alloc(6e6), { flag: 'a' }).catch(() => undefined);
      return (await site.states()).streams.every(({ state }) => state === 'failed');
    }, 20_000, site.server.output);
    await site.all('failed', /are free for .*and nothing is left that could be let go; goes on by itself once that is over$/);
    expect((await site.states()).streams[0]).toMatchObject({ capturing: true, last_error: { code: 'disk_full' } });
    expect(await (await fetch(`${site.server.url}/readyz`)).json()).toMatchObject({ status: 'not_ready' });
    await rm(filler);
    await site.all('running', /^capturing/);
    await site.recordsMore(20);
    const { captured, recorded, dropped, dead_lettered } = await site.close();
    tellFigure('disk', `full: ${recorded} of ${captured} frames recorded in order, ${JSON.stringify(dropped)} dropped and counted, without a restart`);
    expect(dead_lettered).toBe(0);
    expect(Object.keys(dropped).filter((reason) => reason !== 'disk_full' && reason !== 'slow_consumer')).toEqual([]);
    const troubles = site.server.output().split('\n').filter((line) => / (?:warn|error) /.test(line) && !line.includes('camera_data.csv'));
    expect(troubles.length).toBeLessThan(15);
  });

  it.concurrent('one that is made read-only likewise', async ({ onTestFinished }) => {
    const site = await open(onTestFinished, ['frames', 'records']);
    await site.recordsMore(12);
    await site.disk.readOnly();
    await site.all('failed', /^nothing can be written to .*EROFS.*; goes on by itself once that is over$/);
    expect((await site.states()).streams[0]).toMatchObject({ capturing: true, last_error: { code: 'disk_failed' } });
    site.disk.writable();
    await site.all('running', /^capturing/);
    await site.recordsMore(12);
    const { captured, recorded, dropped, dead_lettered } = await site.close();
    tellFigure('disk', `read-only: ${recorded} of ${captured} recorded in order, ${JSON.stringify(dropped)} dropped and counted`);
    expect(dead_lettered).toBe(0);
  });

  it.skipIf(!canFreeze).concurrent('one that hangs keeps nobody waiting who asks how things are, is told, and costs nothing (needs leave to mount, and ext4)', async ({ onTestFinished }) => {
    const disk = mountHangingDisk(32);
    const site = await open(onTestFinished, ['data', 'frames'], {}, disk);
    await site.recordsMore(60);
    disk.freeze();
    onTestFinished(() => { disk.thaw(); });
    const readiness = async (): Promise<{ readonly not_ready: readonly string[] }> => {
      const answer = await fetch(`${site.server.url}/readyz`, { signal: AbortSignal.timeout(5000) }).catch(() => null);
      return answer ? await answer.json() as { readonly not_ready: readonly string[] } : { not_ready: [] };
    };
    await until(async () => (await readiness()).not_ready.some((reason) => /gives no answer/.test(reason)), 45_000, site.server.output);
    const statuses = async (...paths: readonly string[]): Promise<ReadonlySet<number>> => new Set(await Promise.all(paths.map(async (path) => (await fetch(`${site.server.url}${path}`, { signal: AbortSignal.timeout(5000) })).status)));
    expect(await statuses('/healthz', '/api/streams', '/', '/static/app.js', '/metrics')).toEqual(new Set([200]));
    const starts = await fetch(`${site.server.url}/start_stream`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"camera_id":"LATE","rtsp_url":"rtsp://127.0.0.1:1/none"}', signal: AbortSignal.timeout(5000) });
    expect([starts.status, await starts.json()]).toEqual([503, { error: expect.stringContaining('gives no answer') as string }]);
    expect(await statuses('/api/records', '/api/models', '/api/cameras', '/api/followers')).toEqual(new Set([503]));
    disk.thaw();
    await until(async () => (await fetch(`${site.server.url}/readyz`)).ok, 20_000, site.server.output);
    await site.recordsMore(60);
    const { captured, recorded, dropped, dead_lettered } = await site.close();
    tellFigure('disk', `hung: ${recorded} of ${captured} recorded in order, ${JSON.stringify(dropped)} dropped and counted`);
    expect(dead_lettered).toBe(0);
    expect(site.server.output()).toMatch(/a disk does not answer[^]*the disk answers again/);
  });

  it.concurrent('one that was filled while nothing ran is begun on: kept pictures make room', async ({ onTestFinished }) => {
    const site = await open(onTestFinished, ['data', 'frames'], { min_free_bytes: 1_000_000 });
    await site.recordsMore(40);
    await site.restart(() => fill(site.disk.folder));
    await until(() => site.server.output().includes('kept pictures are let go'), 20_000, site.server.output);
    await site.recordsMore(20);
    const { captured, recorded, dropped, dead_lettered } = await site.close();
    tellFigure('disk', `full at a start: ${recorded} of ${captured} recorded in order, ${JSON.stringify(dropped)} dropped and counted`);
    expect(dead_lettered).toBe(0);
  });

  it.concurrent('one without room for anything is said in words, and begun on once there is some', async ({ onTestFinished }) => {
    const disk = mountSmallDisk(1, 40);
    const folder = await mkdtemp(join(tmpdir(), 'lookout-full-'));
    onTestFinished(async () => {
      disk.unmount();
      await rm(folder, { recursive: true, force: true });
    });
    const folders = { data_dir: join(disk.folder, 'data'), frames_dir: join(disk.folder, 'frames') };
    const settings = ['--data-dir', folders.data_dir, '--frames-dir', folders.frames_dir];
    const fillers = await takeFiles(disk.folder);
    const refused = await runLookout(['serve', '--port', '0', ...settings], { folder });
    expect(await refused.ended, refused.output()).toBe(1);
    expect(refused.output()).toMatch(/^lookout: .*ENOSPC.*\nwhat to try: make room[^\n]*\n$/);
    // With the folders alone, with the lock, with some of what is made after it: what ends the start is that there is no room, which is said so.
    for (const files of [2, 3, 5]) {
      for (const file of fillers.splice(0, files)) await rm(file);
      const refusal: unknown = await startTestApp(folders, folder).catch((error: unknown) => error);
      expect(isNoRoom(refusal), String(refusal)).toBe(true);
      expect(errorInfo(refusal).message).toContain('ENOSPC');
    }
    for (const file of fillers) await rm(file);
    const server = await startServer({ folder, flags: settings });
    await until(async () => (await fetch(`${server.url}/readyz`)).ok, 10_000, server.output);
    await takeFiles(disk.folder);
    const added = await fetch(`${server.url}/api/cameras`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"cameraID":"EAST","latitude":1,"longitude":2}' });
    expect([added.status, await added.json()]).toEqual([503, { error: expect.stringContaining('ENOSPC') as string }]);
    expect(await server.stop()).toBe(0);
  });
});

/** Takes every byte. */
async function fill(folder: string): Promise<void> {
  await writeFile(join(folder, 'filler'), Buffer.alloc(8e6), { flag: 'a' }).catch((error: unknown) => { expect(error).toMatchObject({ code: 'ENOSPC' }); });
}

/** Takes every file that there may be, and answers with theirs. */
async function takeFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (;;) {
    const file = join(folder, `filler-${files.length}`);
    try {
      await writeFile(file, '');
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
      return files;
    }
    files.push(file);
  }
}
