import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorInfo, LookoutError } from '../../src/errors.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { createLog, silentLog } from '../../src/lib/log.ts';
import type { Pacer, Standing } from '../../src/lib/pacer.ts';
import { openBooks, type Books } from '../../src/store/books.ts';
import { createSpool, type Spool } from '../../src/store/spool.ts';
import { createDemand } from '../../src/capture/on-demand.ts';
import { startStream, type Stream, type StreamParts } from '../../src/capture/stream.ts';
import { create as createPush } from '../../src/sources/push.ts';
import type { Batch, StreamOptions } from '../../src/types.ts';
import { plenty } from '../helpers/plenty.ts';
import { createFakeSource, JPEG, type FakeSource } from '../helpers/fake-source.ts';
import { PICTURES, streamOf } from '../sources/streams.ts';

const SOON = { timeout: 5000 };

let folder: string;
let spool: Spool;
let books: Books;
let source: FakeSource;
let submitted: Batch[];
let pauses: number[];
const running: Stream[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-stream-'));
  spool = createSpool(join(folder, 'frames'));
  books = await openBooks(folder);
  source = createFakeSource();
  [submitted, pauses] = [[], []];
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((stream) => stream.stop('the test is over')));
  await books.close();
  await rm(folder, { recursive: true, force: true });
});

/** Makes every pause short and remembers how long it would have been. */
const hasty: Clock = {
  ...systemClock,
  sleep: (ms, signal) => {
    if (ms > 0) pauses.push(ms);
    return systemClock.sleep(Math.min(ms, 20), signal);
  },
};

async function begin(options: Partial<StreamOptions> = {}, parts: Partial<StreamParts> = {}): Promise<Stream> {
  const stream = startStream({ ...streamOf('rtsp://u:secret@h/x', options), models: ['motion'] }, {
    source, spool, books, demand: createDemand(hasty), room: plenty, clock: hasty, pacer: { busy: false, turn: () => Promise.resolve() }, log: silentLog, wanted: () => undefined, offer: () => undefined, closed: () => undefined,
    submit: (batch) => {
      submitted.push(batch);
      return Promise.resolve();
    },
    ...parts,
  });
  running.push(stream);
  if (!parts.source?.push) await expect.poll(() => source.connected(), SOON).toEqual(['CAM-1']);
  return stream;
}

const emit = async (count: number): Promise<void> => {
  for (let number = 0; number < count; number += 1) await source.emit('CAM-1');
};
const ofCamera = (): ReturnType<Books['of']> => books.of('CAM-1');

describe('a stream', () => {
  it('puts frames into the spool and hands over batches of them', async () => {
    const stream = await begin({ batch_size: 3 });
    expect(stream.view()).toMatchObject({ state: 'starting', reason: 'connecting', open_batch: 0 });
    await emit(7);
    const { session } = stream.view();
    expect(session).toMatch(/^CAM-1_[0-9a-f]{8}$/);
    await expect.poll(() => submitted.length).toBe(2);
    for (const batch of submitted) {
      expect(batch).toMatchObject({ camera_id: 'CAM-1', session, closed_by: 'count', models: ['motion'], attempts: 0 });
      expect(batch.frames).toHaveLength(3);
      expect(batch.id).toBe(`${session ?? ''}-${batch.frames[0]?.captured_at.replace(/[-:.]/g, '').replace('Z', '000Z') ?? ''}`);
      for (const { key } of batch.frames) expect(await readFile(spool.path(key))).toEqual(JPEG);
    }
    expect(stream.view()).toMatchObject({ state: 'running', reason: 'capturing (keyframes)', capture_mode: 'keyframes', open_batch: 1, reconnects: 0, last_error: null });
    expect(ofCamera()).toMatchObject({ captured: 7, in_spool: 7 });
  });

  it('tells at once that a batch is closed, though the one before is not safe yet', async () => {
    const told: string[] = [];
    let firstIsSafe = (): void => undefined;
    const first = new Promise<void>((resolve) => { firstIsSafe = resolve; });
    const stream = await begin({ batch_size: 2 }, { closed: ({ id }) => told.push(id), submit: (batch) => {
      submitted.push(batch);
      return first;
    } });
    await emit(4);
    await expect.poll(() => told.length, SOON).toBe(2);
    expect(submitted.map(({ id }) => id)).toEqual(told.slice(0, 1));
    firstIsSafe();
    await stream.stop('stopped by request');
    expect(submitted.map(({ id }) => id)).toEqual(told);
  });

  it('closes a batch that is due before it is full', async () => {
    const stream = await begin({ batch_deadline_seconds: 0.3 });
    await emit(2);
    await expect.poll(() => submitted.length, SOON).toBe(1);
    expect(submitted[0]).toMatchObject({ closed_by: 'deadline', frames: [{}, {}] });
    expect(stream.view().open_batch).toBe(0);
    await emit(1);
    await expect.poll(() => submitted.length, SOON).toBe(2);
  });

  it('closes its open batch when it is stopped, and then its session', async () => {
    const stream = await begin();
    await emit(2);
    await stream.stop('stopped by request');
    expect(submitted).toMatchObject([{ closed_by: 'stopped', frames: [{}, {}] }]);
    expect(spool.sessions).toBe(0);
    expect(stream.view()).toMatchObject({ state: 'stopped', reason: 'stopped by request', open_batch: 0 });
    expect(source.connected()).toEqual([]);
  });

  it('hands over no empty batch', async () => {
    const stream = await begin();
    await stream.stop('stopped by request');
    expect(submitted).toEqual([]);
  });

  it('wants its models when it begins, and offers them each frame that is in the spool', async () => {
    const wanted: string[] = [];
    const offered: string[] = [];
    await begin({ batch_size: 3 }, {
      wanted: (model) => wanted.push(model), offer: ({ key, sequence }, { session, models }) => offered.push(`${String(key.startsWith(`${session}/`))} ${sequence} ${models.join()}`),
    });
    expect(wanted).toEqual(['motion']);
    await emit(2);
    expect(offered).toEqual(['true 0 motion', 'true 1 motion']);
    await emit(2);
    expect([offered.length, wanted.length]).toEqual([4, 1]);
  });

  it('waits for its turn to connect, each time, and can be stopped meanwhile', async () => {
    const turns: (() => void)[] = [];
    const standings: Standing[] = [];
    const turn: Pacer['turn'] = (standing, _ms, signal) => new Promise((resolve) => {
      turns.push(resolve);
      standings.push(standing);
      signal.addEventListener('abort', () => { resolve(); });
    });
    const stream = startStream(streamOf('rtsp://h/x'), {
      source, spool, books, demand: createDemand(hasty), room: plenty, clock: hasty, pacer: { busy: false, turn }, log: silentLog, wanted: () => undefined, offer: () => undefined, closed: () => undefined, submit: () => Promise.resolve(),
    });
    for (const connections of [1, 2]) {
      await expect.poll(() => turns.length, SOON).toBe(connections);
      expect(source.opened).toHaveLength(connections - 1);
      turns.at(-1)?.();
      await expect.poll(() => source.connected(), SOON).toEqual(['CAM-1']);
      source.end('CAM-1');
    }
    await expect.poll(() => turns.length, SOON).toBe(3);
    await stream.stop('stopped by request');
    expect(source.opened).toHaveLength(2);
    expect(stream.view().state).toBe('stopped');
    // No picture has come yet.
    expect(standings).toEqual(['well', 'failing', 'failing']);
  });

  it('takes no turn while nobody is there, once that is likely or others wait', async () => {
    const knocks: string[] = [];
    let turns = 0;
    let isThere = true;
    const pacer = { busy: false, turn: () => Promise.resolve(void (turns += 1)) };
    const knock = (spec: { readonly camera_id: string }): Promise<void> => {
      knocks.push(spec.camera_id);
      return isThere ? Promise.resolve() : Promise.reject(new LookoutError('stream_connect', 'nobody is there'));
    };
    const stream = await begin({}, { source: { ...source, knock }, pacer });
    expect([knocks.length, turns]).toEqual([0, 1]);
    isThere = false;
    source.end('CAM-1');
    await expect.poll(() => knocks.length, SOON).toBeGreaterThan(3);
    expect([turns, source.opened.length]).toEqual([1, 1]);
    expect(stream.view()).toMatchObject({ state: 'reconnecting', last_error: { code: 'stream_connect' } });
    isThere = true;
    await expect.poll(() => source.connected(), SOON).toEqual(['CAM-1']);
    expect(turns).toBe(2);
    await stream.stop('stopped by request');

    knocks.length = 0;
    await begin({}, { source: { ...source, knock }, pacer: { ...pacer, busy: true } });
    expect([knocks, turns]).toEqual([['CAM-1'], 3]);
  });

  it('has failed for minutes, and says so, where its login is refused', async () => {
    const lines: string[] = [];
    const stream = await begin({}, { log: createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) }) });
    source.end('CAM-1', new LookoutError('stream_auth', 'the camera refused the user name or password'));
    await expect.poll(() => pauses, SOON).toContain(300_000);
    expect(lines.join('')).toMatch(/CAM-1: failed .*the camera refused the user name or password; next try in 5 min/);
    expect(stream.view().last_error?.code).toBe('stream_auth');
  });

  it('has its turn among those that are well for a while after its last picture', async () => {
    const standings: Standing[] = [];
    let passed = 0;
    const clock: Clock = { ...hasty, now: () => systemClock.now() + passed };
    const stream = await begin({}, { clock, pacer: { busy: false, turn: (standing) => Promise.resolve(void standings.push(standing)) } });
    await emit(1);
    for (const [count, later] of [[2, 0], [3, 0], [4, 11 * 60_000]] as const) {
      passed = later;
      source.end('CAM-1');
      await expect.poll(() => standings.length, SOON).toBe(count);
      await expect.poll(() => source.connected(), SOON).toEqual(['CAM-1']);
    }
    expect(standings).toEqual(['well', 'well', 'well', 'failing']);
    await stream.stop('stopped by request');
  });

  it('ends by itself when its time is over', async () => {
    const stream = await begin({ duration_seconds: 0.3 }, { clock: systemClock });
    await emit(1);
    await stream.ended;
    expect(stream.view()).toMatchObject({ state: 'stopped', reason: 'its 0.3 s are over' });
    expect(submitted).toMatchObject([{ closed_by: 'stopped' }]);
  });

  it('connects again, keeps session and open batch, and says why without the password', async () => {
    const stream = await begin({ batch_size: 3 });
    await emit(2);
    const { session } = stream.view();
    source.end('CAM-1', new LookoutError('stream_stalled', 'nothing from rtsp://u:secret@h/x'));
    await expect.poll(() => stream.view().reconnects, SOON).toBe(1);
    expect(stream.view().last_error).toEqual({ code: 'stream_stalled', message: 'nothing from rtsp://***@h/x', at: expect.any(String) as string });
    expect(stream.view()).toMatchObject({ session, open_batch: 2 });
    await expect.poll(() => source.connected(), SOON).toEqual(['CAM-1']);
    await emit(1);
    await expect.poll(() => submitted).toMatchObject([{ session, closed_by: 'count' }]);
    expect(stream.view().state).toBe('running');
  });

  it('tells what it waits for while it waits', async () => {
    const stream = await begin({}, { clock: systemClock });
    source.end('CAM-1');
    await expect.poll(() => stream.view(), SOON).toMatchObject({ state: 'reconnecting', reason: expect.stringMatching(/^the stream ended; next try in [\d.]+ s$/) as string });
    const began = Date.now();
    await stream.stop('stopped by request');
    expect(Date.now() - began).toBeLessThan(1000);
  });

  it('waits longer after each connection without a picture', async () => {
    await begin();
    for (let tries = 1; tries <= 6; tries += 1) {
      source.end('CAM-1');
      await expect.poll(() => source.opened.length, SOON).toBe(tries + 1);
      await expect.poll(() => source.connected(), SOON).toEqual(['CAM-1']);
    }
    pauses.forEach((pause, index) => {
      const most = Math.min(30_000, 2000 * 2 ** index);
      expect(pause).toBeGreaterThanOrEqual(most / 2);
      expect(pause).toBeLessThanOrEqual(most);
    });
    expect(pauses).toHaveLength(6);
  });

  it('counts what it was too slow for, and what it could not store, by reason', async () => {
    const stream = await begin();
    await source.emit('CAM-1', { missed: 4 });
    const own = join(spool.folder, stream.view().session ?? '');
    await rename(own, `${own}.away`);
    await writeFile(own, 'in the way');
    await emit(2);
    await rm(own);
    await rename(`${own}.away`, own);
    await emit(1);
    expect(stream.view()).toMatchObject({ state: 'running', open_batch: 2, last_error: { message: expect.stringContaining('ENOTDIR') as string } });
    await stream.stop('stopped by request');
    expect(ofCamera()).toEqual({ captured: 8, recorded: 0, dead_lettered: 0, dropped: { slow_consumer: 4, spool_failed: 2 }, in_spool: 2 });
  });

  it('counts the pictures that the camera did not give, by reason', async () => {
    await begin();
    await source.emit('CAM-1', { failed: { picture_torn: 2, picture_refused: 1 } });
    await expect.poll(ofCamera).toEqual({ captured: 4, recorded: 0, dead_lettered: 0, dropped: { picture_torn: 2, picture_refused: 1 }, in_spool: 1 });
  });

  it('counts them later where the books cannot be written either, and never takes back what was captured', async () => {
    let refusals = 1;
    const captured: number[] = [];
    const full: Books = {
      ...books,
      settle: (entry) => {
        captured.push(ofCamera().captured);
        return refusals-- > 0 ? Promise.reject(new Error('disk full')) : books.settle(entry);
      },
    };
    const stream = await begin({}, { books: full });
    await source.emit('CAM-1', { missed: 4 });
    await expect.poll(() => captured.length).toBe(1);
    expect(ofCamera()).toMatchObject({ captured: 1, dropped: {}, in_spool: 1 });
    await source.emit('CAM-1', { missed: 2 });
    await stream.stop('stopped by request');
    expect(ofCamera()).toMatchObject({ captured: 8, dropped: { slow_consumer: 6 }, in_spool: 2 });
    expect(captured.at(-1)).toBe(2);
  });

  it('has no frame wait for the books', async () => {
    let settle = (): void => undefined;
    const slow: Books = { ...books, settle: async (entry) => {
      await new Promise<void>((resolve) => { settle = resolve; });
      await books.settle(entry);
    } };
    const stream = await begin({}, { books: slow });
    for (let frame = 0; frame < 5; frame += 1) await source.emit('CAM-1', { missed: 1 });
    expect(stream.view().open_batch).toBe(5);
    settle();
    await expect.poll(ofCamera).toMatchObject({ captured: 6, dropped: { slow_consumer: 1 } });
    const stopped = stream.stop('stopped by request');
    await expect.poll(() => {
      settle();
      return ofCamera();
    }).toMatchObject({ captured: 10, dropped: { slow_consumer: 5 } });
    await stopped;
  });

  it('gives every frame a time, and so a name, of its own', async () => {
    const captured_at = '2026-07-01T12:00:00.000Z';
    const stream = await begin({ batch_size: 4 });
    for (const time of [captured_at, captured_at, '2026-07-01T11:59:59.900Z', captured_at]) await source.emit('CAM-1', { captured_at: time });
    await expect.poll(() => submitted.length).toBe(1);
    const times = submitted[0]?.frames.map((frame) => frame.captured_at) ?? [];
    expect(times).toEqual(['2026-07-01T12:00:00.000Z', '2026-07-01T12:00:00.001Z', '2026-07-01T11:59:59.900Z', '2026-07-01T12:00:00.002Z']);
    expect((await readdir(join(spool.folder, stream.view().session ?? ''))).filter((name) => name.startsWith('CAM-1_'))).toHaveLength(4);
  });

  it('keeps handing over a batch until somebody takes it', async () => {
    let refusals = 2;
    await begin({ batch_size: 1 }, {
      submit: (batch) => {
        if (refusals-- > 0) return Promise.reject(new Error('disk full'));
        submitted.push(batch);
        return Promise.resolve();
      },
    });
    await emit(2);
    await expect.poll(() => submitted.length, SOON).toBe(2);
    expect(submitted.map(({ id }) => id)).toEqual([...submitted.map(({ id }) => id)].sort());
  });

  it('shows its latest picture, which outlives its batch', async () => {
    const stream = await begin({ batch_size: 2 });
    for (const size of [1, 2]) {
      await emit(1);
      await expect.poll(() => stream.view().latest?.captured_at).toBe(stream.view().last_frame_at);
      await expect.poll(() => submitted.length).toBe(size - 1);
      expect(await readFile(stream.view().latest?.file ?? '')).toEqual(JPEG);
    }
    for (const batch of submitted) await spool.release(batch);
    expect(await readFile(stream.view().latest?.file ?? '')).toEqual(JPEG);
  });

  it('stores a frame once room was made for it', async () => {
    let refusals = 1;
    const short: Spool = { ...spool, put: (...frame) => (refusals-- > 0 ? Promise.reject(new Error('no room')) : spool.put(...frame)) };
    await begin({}, { spool: short, room: { ...plenty, failed: () => Promise.resolve(true) } });
    await emit(1);
    expect(ofCamera()).toMatchObject({ captured: 1, dropped: {}, in_spool: 1 });
  });

  it('captures nothing while the disk is full, and goes on when it is not', async () => {
    const room: { trouble: LookoutError | null } = { trouble: null };
    const stream = await begin({}, { room: { ...plenty, get trouble() { return room.trouble; }, wait: async (signal) => { while (room.trouble && !signal.aborted) await systemClock.sleep(5, signal); } } });
    await emit(1);
    room.trouble = new LookoutError('disk_full', 'nothing is left');
    // Nobody asks for the one after it.
    void source.emit('CAM-1');
    await expect.poll(() => source.connected(), SOON).toEqual([]);
    expect(stream.view()).toMatchObject({ state: 'failed', reason: 'nothing is left; goes on by itself once that is over', last_error: { code: 'disk_full' } });
    room.trouble = null;
    await expect.poll(() => source.connected(), SOON).toEqual(['CAM-1']);
    await emit(1);
    expect(stream.view().state).toBe('running');
    expect(ofCamera()).toMatchObject({ captured: 3, dropped: {}, in_spool: 3 });
  });

  it('refuses a picture that is brought and cannot be stored, none that was, and takes the next', async () => {
    let refusals = 1;
    const short: Spool = { ...spool, put: (...frame) => (refusals-- > 0 ? Promise.reject(new Error('EMFILE: too many open files')) : spool.put(...frame)) };
    const pushed = createPush({ config: PICTURES });
    const stream = await begin({ interval_seconds: 0 }, { source: pushed, spool: short });
    const bytes = await readFile(new URL('../../media/march-pastoral.jpg', import.meta.url));
    const bring = (): Promise<unknown> | undefined => pushed.push?.take('CAM-1', { bytes, captured_at: new Date().toISOString(), findings: [] }).catch(errorInfo);
    expect(await bring()).toMatchObject({ code: 'too_many_at_once' });
    await expect.poll(() => stream.view()).toMatchObject({ state: 'reconnecting', reason: 'EMFILE: too many open files; goes on with the next picture' });
    expect(await bring()).toBe('taken');
    await expect.poll(ofCamera).toMatchObject({ captured: 2, dropped: { spool_failed: 1 }, in_spool: 1 });
  });

  it('begins once its frames can be stored', async () => {
    let refusals = 2;
    const slow: Spool = { ...spool, open: (spec) => (refusals-- > 0 ? Promise.reject(Object.assign(new Error('disk full'), { code: 'ENOSPC' })) : spool.open(spec)) };
    const stream = await begin({}, { spool: slow });
    expect(stream.view().last_error).toMatchObject({ code: 'disk_full', message: 'disk full' });
    await emit(1);
    expect(stream.view().state).toBe('running');
  });
});
