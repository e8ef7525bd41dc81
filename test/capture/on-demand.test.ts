/** Streams that run while somebody asks, on a clock that the test moves. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredStream } from '../../src/capture/stream-store.ts';
import { createStreams, type Streams } from '../../src/capture/streams.ts';
import { loadConfig } from '../../src/config/load.ts';
import { LookoutError } from '../../src/errors.ts';
import { silentLog } from '../../src/lib/log.ts';
import { openBooks, type Books } from '../../src/store/books.ts';
import { createSpool } from '../../src/store/spool.ts';
import type { Batch, LatestPicture, Source, StreamOptions, StreamStatus, VideoSource } from '../../src/types.ts';
import { createFakeSource, JPEG, type FakeSource } from '../helpers/fake-source.ts';
import { plenty } from '../helpers/plenty.ts';
import { createVirtualClock, type VirtualClock } from '../load/virtual-clock.ts';

const SOON = { timeout: 5000 };
const CAM = 'CAM-1';

let folder: string;
let books: Books;
let clock: VirtualClock;
let source: FakeSource;
let video: VideoSource | undefined;
let submitted: Batch[];
let wanted: string[];
let streams: Streams;
let stored: readonly StoredStream[];
/** Why nothing may be captured. */
let trouble: LookoutError | null;
const viewers: AbortController[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-on-demand-'));
  books = await openBooks(folder);
  [clock, source, video, submitted, wanted] = [createVirtualClock(), createFakeSource(), undefined, [], []];
  [stored, trouble] = [[], null];
  streams = await begin();
});
afterEach(async () => {
  for (const viewer of viewers.splice(0)) viewer.abort();
  await streams.close();
  await books.close();
  await rm(folder, { recursive: true, force: true });
});

async function begin(): Promise<Streams> {
  const { config } = await loadConfig({ flags: {}, env: {}, cwd: folder });
  const own: Source = { ...source, get video() { return video as VideoSource; } };
  return createStreams({
    config, sources: new Map([['rtsp', own], ['push', { ...own, push: { take: () => Promise.resolve('taken'), called: () => Promise.resolve() } }]]), defaultModels: ['motion'], knownModels: () => Promise.resolve(['motion']),
    stopped: () => undefined,
    store: { load: () => Promise.resolve(stored), save: (all) => { stored = all; return Promise.resolve(); } },
    stream: {
      spool: createSpool(config.frames_dir), books, room: { ...plenty, get trouble() { return trouble; } }, clock, pacer: { busy: false, turn: () => Promise.resolve() }, log: silentLog, offer: () => undefined, closed: () => undefined,
      submit: (batch) => { submitted.push(batch); return Promise.resolve(); },
      wanted: (model) => { wanted.push(model); },
    },
    facts: { books: (id) => books.of(id), queued: () => 0, modelState: () => ({ state: 'ready', reason: '' }), records: () => ({ records: 0, last_record_at: null }) },
  });
}

const start = (options: Partial<StreamOptions> = {}, models = ['motion']): Promise<unknown> => streams.start({ camera_id: CAM, url: 'rtsp://h/x', models, options: { on_demand: true, ...options } });
const status = (): StreamStatus | null => streams.get(CAM);
const connected = (): Promise<void> => expect.poll(() => source.connected(), SOON).toEqual([CAM]);
const asleep = (): Promise<void> => expect.poll(status, SOON).toMatchObject({ state: 'asleep', capturing: false });

/** Somebody asks, until he leaves. */
function view(): { readonly first: Promise<LatestPicture | null>; readonly leave: () => void } {
  const viewer = new AbortController();
  viewers.push(viewer);
  const first = streams.picture(CAM, viewer.signal);
  first.catch(() => undefined);
  return { first, leave: () => { viewer.abort(); } };
}

/** Lets time pass until the promise is settled: what waits looks again and again. */
async function passing<Result>(work: Promise<Result>, seconds = 60): Promise<Result> {
  let settled = false as boolean;
  work.then(() => { settled = true; }, () => { settled = true; });
  for (let passed = 0; !settled && passed < seconds; passed += 0.1) {
    await clock.pass(100);
    await new Promise((resolve) => { setTimeout(resolve, 2); });
  }
  return work;
}

describe('a stream on demand', () => {
  it('is asleep, connects when somebody asks, and sleeps again when nobody has for its seconds', async () => {
    await start({ batch_deadline_seconds: 3600 });
    expect(status()).toMatchObject({ state: 'asleep', capturing: false, enabled: true, reason: 'nobody asks for its pictures; it wakes as soon as somebody does', session: null });
    await clock.pass(3_600_000);
    expect([source.opened, wanted]).toEqual([[], []]);
    const first = view();
    await connected();
    expect(wanted).toEqual(['motion']);
    expect(status()).toMatchObject({ state: 'starting', capturing: true });
    await source.emit(CAM);
    expect(await readFile((await passing(first.first))?.file ?? '')).toEqual(JPEG);
    await clock.pass(600_000);
    first.leave();
    await clock.pass(29_000);
    // Who comes meanwhile keeps it, and the seconds count from when the last has left.
    const [second, third] = [view(), view()];
    second.leave();
    await clock.pass(60_000);
    third.leave();
    await clock.pass(29_000);
    await source.emit(CAM);
    expect(source.connected()).toEqual([CAM]);
    await clock.pass(2000);
    await asleep();
    expect([source.opened.length, source.connected()]).toEqual([1, []]);
    await expect.poll(() => submitted, SOON).toMatchObject([{ closed_by: 'stopped', frames: [{}, {}] }]);
    expect(status()).toMatchObject({ last_error: null, reconnects: 0 });
  });

  it('shows its last picture while it sleeps, and none but a new one to who wakes it', async () => {
    await start({ linger_seconds: 1 });
    const first = view();
    await connected();
    await source.emit(CAM, { captured_at: '2026-07-01T12:00:00.000Z' });
    await passing(first.first);
    first.leave();
    await clock.pass(1100);
    await asleep();
    expect(streams.latest(CAM)).toMatchObject({ captured_at: '2026-07-01T12:00:00.000Z' });
    expect(await readFile(streams.latest(CAM)?.file ?? '')).toEqual(JPEG);
    const second = view();
    await connected();
    await clock.pass(1000);
    await source.emit(CAM, { captured_at: '2026-07-01T12:01:00.000Z' });
    expect(await passing(second.first)).toMatchObject({ captured_at: '2026-07-01T12:01:00.000Z' });
    expect(source.opened).toHaveLength(2);
    // One session, as for any other stream.
    expect(submitted.map(({ session }) => session)).toEqual([status()?.session]);
    await passing(view().first, 1);
    expect(source.opened).toHaveLength(2);
  });

  it('says after 15 s why nothing comes, is tried again while somebody asks, and sleeps then', async () => {
    await start();
    const waiting = view();
    await connected();
    const begun = clock.monotonic();
    source.end(CAM, new LookoutError('stream_connect', 'nobody is there'));
    await expect(passing(waiting.first)).rejects.toMatchObject({ code: 'stream_connect', message: expect.stringMatching(/^camera 'CAM-1' was asked for and gives nothing yet: nobody is there; next try in/) as string });
    expect(clock.monotonic() - begun).toBeGreaterThanOrEqual(15_000);
    expect(clock.monotonic() - begun).toBeLessThan(15_500);
    await connected();
    expect(source.opened).toHaveLength(2);
    waiting.leave();
    await clock.pass(31_000);
    await asleep();
    const silent = view();
    await connected();
    await expect(passing(silent.first)).rejects.toMatchObject({ code: 'stream_stalled', message: expect.stringMatching(/gives nothing yet: connecting$/) as string });
  });

  it('wakes for a camera that refuses its login no more often than others are tried', async () => {
    await start({ linger_seconds: 0 });
    const refused = { code: 'stream_auth', message: expect.stringMatching(/wrong password; next try in/) as string };
    const first = view();
    await connected();
    source.end(CAM, new LookoutError('stream_auth', 'wrong password'));
    await expect(passing(first.first, 1)).rejects.toMatchObject(refused);
    first.leave();
    await clock.pass(100);
    await asleep();
    const second = view();
    await expect(passing(second.first, 1)).rejects.toMatchObject(refused);
    expect(status()).toMatchObject({ state: 'failed' });
    expect(source.opened).toHaveLength(1);
    await clock.pass(300_000);
    await connected();
    expect(source.opened).toHaveLength(2);
  });

  it('asks one that knew its login, and refuses it, no more often than if it were never asleep', async () => {
    await start({ linger_seconds: 0 });
    const tries: number[] = [];
    for (let minute = -1; minute < 20; minute += 1) {
      const viewer = view();
      await expect.poll(() => source.connected().length > 0 || status()?.state === 'failed', { ...SOON, interval: 2 }).toBe(true);
      if (minute < 0) await source.emit(CAM);
      else if (source.connected().length > 0) {
        tries.push(minute);
        source.end(CAM, new LookoutError('stream_auth', 'wrong password'));
        await expect.poll(() => status()?.reason, { ...SOON, interval: 2 }).toMatch(/^wrong password; next try in/);
      }
      viewer.leave();
      await clock.pass(60_000);
      await asleep();
    }
    // Two while it may be booting.
    expect(tries).toEqual([0, 1, 2, 7, 17]);
  });

  it('is stopped, changed, removed and brought back, asleep and awake', async () => {
    await start();
    expect(await streams.start({ camera_id: CAM, url: 'rtsp://h/x', models: ['motion'] })).toBe('already_running');
    expect(await streams.stop(CAM)).toBe('stopped');
    expect(status()).toMatchObject({ state: 'stopped', enabled: false });
    expect(await view().first).toBeNull();
    expect(await streams.change(CAM, { enabled: true })).toMatchObject({ state: 'asleep' });
    const viewer = view();
    await connected();
    await source.emit(CAM);
    // Who watches it is there when it begins anew.
    await streams.change(CAM, { options: { interval_seconds: 1 } });
    await connected();
    expect(source.opened.map(({ options }) => options.interval_seconds)).toEqual([3, 1]);
    viewer.leave();
    await clock.pass(31_000);
    await asleep();
    expect(await streams.change(CAM, { options: { on_demand: false } })).toMatchObject({ state: 'starting', capturing: true });
    await connected();
    await streams.change(CAM, { options: { on_demand: true } });
    expect([status()?.state, source.connected()]).toEqual(['asleep', []]);
    await streams.remove(CAM);
    expect(status()).toBeNull();
    expect(await view().first).toBeNull();
    await start();
    await streams.close();
    expect(status()).toMatchObject({ state: 'stopped', reason: 'Lookout is stopping' });
    streams = await begin();
    streams.begin();
    expect([status()?.state, source.connected()]).toEqual(['asleep', []]);
  });

  it('without a model is only shown: nothing of it is booked or kept', async () => {
    await start({}, []);
    const viewer = view();
    await connected();
    for (let number = 0; number < 12; number += 1) await source.emit(CAM);
    const latest = await passing(viewer.first);
    expect(await readFile(latest?.file ?? '')).toEqual(JPEG);
    expect(status()).toMatchObject({ state: 'running', open_batch: 0, books: { captured: 0, in_spool: 0 } });
    await expect(streams.change(CAM, { options: { on_demand: false } })).rejects.toMatchObject({ code: 'bad_request', message: expect.stringContaining('a stream needs a model') as string });
    await streams.stop(CAM);
    expect(submitted).toEqual([]);
  });

  it('gives live video as soon as its camera is connected', async () => {
    let isConnected = false;
    async function* chunks(): AsyncGenerator<Uint8Array, void, void> { yield await Promise.resolve(Buffer.from('head')); }
    video = {
      live: () => (isConnected ? Promise.resolve(chunks()) : Promise.reject(new LookoutError('stream_ended', 'it is not connected now'))),
      clip: () => Promise.reject(new Error('nobody asks')),
      record: () => Promise.reject(new Error('nobody asks')),
      rulesChanged: () => undefined,
    };
    await start();
    const viewer = new AbortController();
    viewers.push(viewer);
    const live = streams.live(CAM, viewer.signal);
    await connected();
    await clock.pass(500);
    isConnected = true;
    for await (const chunk of await passing(live)) expect(String(chunk)).toBe('head');
    video = { ...video, live: () => Promise.reject(new LookoutError('no_live_video', 'there is none')) };
    await expect(streams.live(CAM, viewer.signal)).rejects.toMatchObject({ code: 'no_live_video' });
  });

  it('is refused for a camera that brings its pictures, and these at once while the disk is full', async () => {
    const push = { camera_id: 'SHIP', url: 'push:', models: [], options: { on_demand: true } };
    await expect(streams.start(push)).rejects.toMatchObject({ code: 'bad_request', message: expect.stringContaining('on_demand is for cameras that are asked for their pictures') as string });
    await streams.start({ ...push, options: {} });
    await expect(streams.change('SHIP', { options: { on_demand: true } })).rejects.toMatchObject({ code: 'bad_request' });
    trouble = new LookoutError('disk_full', 'nothing is left');
    const picture = { bytes: JPEG, captured_at: '2026-07-01T12:00:00.000Z', findings: [] };
    expect(() => { streams.expectTakesPush('SHIP'); }).toThrow(trouble);
    await expect(streams.push('SHIP', picture)).rejects.toBe(trouble);
    trouble = null;
    expect(await streams.push('SHIP', picture)).toBe('taken');
  });
});
