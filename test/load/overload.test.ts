import { afterEach, describe, expect, it, vi } from 'vitest';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import type { Batch, Frame } from '../../src/types.ts';
import { batchOf } from './memory-spool.ts';
import { looksByCamera, openSite, startCameras, type Deed, type Site } from './site.ts';

/** The journal of the books without a disk. */
vi.mock('../../src/store/journal.ts', () => ({
  openJournal: () => Promise.resolve({ lines: [], empty: true, append: (_line: unknown, then: () => void) => Promise.resolve().then(then), close: () => Promise.resolve() }),
}));

const sites: Site[] = [];
afterEach(async () => {
  for (const site of sites.splice(0)) await site.close();
});

async function site(...given: Parameters<typeof openSite>): Promise<Site> {
  const opened = await openSite(...given);
  sites.push(opened);
  return opened;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const mean = (numbers: readonly number[]): number => sum(numbers) / numbers.length;
const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;

/** Captured = recorded + dead-lettered + dropped + in the spool, by name. */
function expectBalance(made: Site): void {
  const { captured, recorded, dead_lettered, dropped, in_spool } = made.books.total();
  expect(captured).toBe(recorded + dead_lettered + Object.values(dropped).reduce((all, frames) => all + frames, 0) + in_spool);
  expect(in_spool).toBe(made.spool.frames.size);
}

/** What the model was shown stands in a record, but for the batches that are not closed. */
function expectAllTold(made: Site, model: string): void {
  const told = sum(made.records.map(({ models }) => models[model]?.looked ?? 0));
  const open = new Set((made.seen[model] ?? []).map(({ camera }) => camera)).size * 10;
  expect(made.seen[model]?.length ?? 0).toBeLessThanOrEqual(told + open);
}

/** 20 cameras bring 6.67 frames/s. */
const CAMERAS = 20;
const DEMAND = CAMERAS / 3;

describe.each([0.5, 1.2, 3, 10])('a model asked for %s times what it can, beside a fast one', (load) => {
  it('works as much as it can, evenly for all cameras, and every look stands in a record', async () => {
    const made = await site({ fast: { frameMs: 2 }, slow: { frameMs: (1000 * load) / DEMAND } });
    const cameras = await startCameras(made, CAMERAS, ['fast', 'slow']);
    await made.pass(60);
    const since = made.clock.monotonic();
    await made.pass(300);
    const looks = looksByCamera(made, 'slow', cameras, since);
    expect(sum(looks) / 300 / Math.min(DEMAND, DEMAND / load)).toBeGreaterThan(0.95);
    expect(Math.min(...looks) / mean(looks)).toBeGreaterThan(0.8);
    expect(Math.min(...looksByCamera(made, 'fast', cameras, since))).toBeGreaterThanOrEqual(99);
    const ages = (made.seen['slow'] ?? []).filter(({ atMs }) => atMs >= since).map(({ ageMs }) => ageMs);
    expect(median(ages)).toBeLessThanOrEqual(6000);
    expectAllTold(made, 'slow');
    expect(made.books.total()).toMatchObject({ dead_lettered: 0, dropped: {} });
    expect(made.records.length).toBeGreaterThanOrEqual(11 * CAMERAS);
    expectBalance(made);
  });
});

describe.each([10, 45])('a model that takes %d s for a frame, of the 60 that a call has', (seconds) => {
  it('is never asked for more than it can answer, also of what waited for its set-up, and works all the time', async () => {
    const made = await site({ slow: { frameMs: 1000 * seconds, setUpMs: 200_000 } });
    await startCameras(made, 6, ['slow']);
    await made.pass(200 + 1200);
    expect(made.starts['slow']).toHaveLength(1);
    expect(((made.seen['slow']?.length ?? 0) * seconds) / 1200).toBeGreaterThan(0.95);
    expect(made.books.total().dead_lettered).toBe(0);
    expectBalance(made);
  });
});

describe('a model that looks by batch', () => {
  it('with calls of 20 s looks at the newest batch of each camera in turn', async () => {
    const made = await site({ fast: { frameMs: 2 }, slow: { callMs: 20_000, frameMs: 0, manifest: { look: 'batch' } } });
    const cameras = await startCameras(made, CAMERAS, ['fast', 'slow'], { spacing: 1.3 });
    await made.pass(1800);
    // One call at a time: ninety of the batches of half an hour.
    const calls = made.calls['slow'] ?? [];
    expect(calls.length).toBeGreaterThanOrEqual(86);
    expect(new Set(calls)).toEqual(new Set([10]));
    const looks = looksByCamera(made, 'slow', cameras);
    expect(Math.min(...looks) / mean(looks)).toBeGreaterThan(0.8);
    expectAllTold(made, 'slow');
    expect(Math.min(...looksByCamera(made, 'fast', cameras))).toBeGreaterThanOrEqual(590);
    expect(made.books.total()).toMatchObject({ dead_lettered: 0, dropped: {} });
    expectBalance(made);
  });
});

describe('one bad camera of ten', () => {
  it.each<[Deed, number]>([['die', 0.95], ['raise', 0.95], ['hang', 0.8]])('whose pictures make the model %s costs the others little', async (deed, least) => {
    const bad = 'CAM-001';
    const made = await site({ animals: { frameMs: 50, setUpMs: 2000, deed: (camera) => (camera === bad ? deed : 'well') } }, { model_deadline_seconds: 10 });
    const cameras = await startCameras(made, 10, ['animals']);
    await made.pass(60);
    const since = made.clock.monotonic();
    await made.pass(900);
    const healthy = made.records.filter(({ batch }) => !batch.id.startsWith(bad) && Date.parse(batch.started_at) > since);
    expect(healthy.every(({ models }) => models['animals']?.error === null)).toBe(true);
    const counts = made.tally.of('animals').cameras;
    for (const camera of cameras.slice(1)) {
      const { looked, failed, skipped } = counts[camera] ?? { looked: 0, failed: 0, skipped: {} };
      expect(failed).toBe(0);
      expect(looked / (looked + sum(Object.values(skipped))), `${camera} ${JSON.stringify(skipped)}`).toBeGreaterThan(least);
    }
    expect(made.letters.every(({ batch }) => batch.camera_id === bad)).toBe(true);
    if (deed !== 'raise') expect(counts[bad]?.skipped.quarantined).toBeGreaterThan(200);
    expect(made.lane('animals').readiness).toBe('ready');
    expect(made.books.total().dropped).toEqual({});
    expectBalance(made);
  });

  it('whose frames a model names when it fails costs the others no look, and is not asked twice', async () => {
    const made = await site({ animals: { frameMs: 50, deed: (camera) => (camera === 'CAM-001' ? 'name' : 'well') } });
    const cameras = await startCameras(made, 10, ['animals'], { spacing: 0.01 });
    await made.pass(300);
    const { cameras: counts } = made.tally.of('animals');
    for (const camera of cameras.slice(1)) expect(counts[camera]).toMatchObject({ failed: 0, skipped: {} });
    expect(counts['CAM-001']).toMatchObject({ looked: 0, skipped: {} });
    expect(looksByCamera(made, 'animals', ['CAM-001'])[0]).toBeLessThanOrEqual(101);
  });

  it('comes out of quarantine once it is answered', async () => {
    const made = await site({ animals: { frameMs: 50, deed: (camera, nth) => (camera === 'CAM-001' && nth <= 3 ? 'die' : 'well') } });
    await startCameras(made, 2, ['animals']);
    await made.pass(120);
    const since = made.records.length;
    await made.pass(120);
    expect(made.records.slice(since).every(({ models }) => models['animals']?.looked === 10)).toBe(true);
  });
});

describe('cameras that bring a frame more rarely than an idle runner is kept', () => {
  it('have it started once for each of their batches', async () => {
    const made = await site({ animals: { frameMs: 50, setUpMs: 2000 } });
    await startCameras(made, 2, ['animals'], { options: { interval_seconds: 900, batch_size: 4, batch_deadline_seconds: 7200 } });
    await made.pass(6.1 * 3600);
    expect(made.records).toHaveLength(12);
    expect(made.records.every(({ models }) => models['animals']?.looked === 4)).toBe(true);
    // Begun with the streams, and then for both cameras' batches, which are closed together.
    expect(made.starts['animals']?.length).toBeLessThanOrEqual(2 + 6);
    expectBalance(made);
  });
});

describe('a model that ends with every picture', () => {
  it('rests, and the batches wait for it', async () => {
    let broken = true;
    const made = await site({ animals: { frameMs: 50, deed: () => (broken ? 'die' : 'well') } });
    await startCameras(made, 5, ['animals']);
    await made.pass(45);
    expect(made.lane('animals').readiness).toBe('resting');
    broken = false;
    await made.pass(200);
    const since = made.records.length;
    await made.pass(60);
    expect(made.records.length - since).toBeGreaterThanOrEqual(9);
    expect(made.records.slice(since).every(({ models }) => models['animals']?.looked === 10)).toBe(true);
    expectBalance(made);
  });
});

describe('a model that ends now and then and takes longer to come back than a batch to fill', () => {
  it('holds up no camera: what was being looked at then goes before what waited', async () => {
    // With the last frame of a batch, in a call with frames of others.
    const ends = new Set(['CAM-004 20', 'CAM-006 41']);
    const made = await site({ animals: { frameMs: 50, setUpMs: 40_000, deed: (camera, nth) => (ends.has(`${camera} ${nth}`) ? 'die' : 'well') } });
    const cameras = await startCameras(made, 8, ['animals'], { spacing: 0.01 });
    await made.pass(900);
    expect(made.starts['animals']?.length).toBe(1 + ends.size);
    const since = made.clock.now() - 60_000;
    for (const camera of cameras) expect(made.records.filter(({ batch }) => batch.session.startsWith(`${camera}_`) && Date.parse(batch.ended_at) > since), camera).not.toEqual([]);
    expect(made.pipeline.waiting()).toBe(0);
    expect(made.letters).toEqual([]);
    expect(made.books.total().dropped).toEqual({});
    expectBalance(made);
  });
});

describe('batches of a camera that is captured no more', () => {
  it('all end, also one that went between two that had to wait for the model', async () => {
    const made = await site({ animals: { frameMs: 3500, setUpMs: 40_000, manifest: { look: 'batch' }, deed: (_camera, nth) => (nth === 5 ? 'die' : 'well') } });
    const stream = made.start('CAM-1', ['animals']);
    // The first waited for the set-up and is looked at, the second went at once and is behind it; then the model is set up again.
    await made.pass(80);
    expect([made.lane('animals').readiness, made.pipeline.busy, made.pipeline.waiting()]).toEqual(['not_ready', 2, 0]);
    await made.pass(11);
    expect(made.pipeline.waiting()).toBe(1);
    await stream.stop('over');
    await made.pass(300);
    expect(made.records.map(({ models }) => models['animals']?.looked)).toEqual([10, 10, 10]);
    const sequences = (made.seen['animals'] ?? []).slice(10).map(({ sequence }) => sequence);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    expectBalance(made);
  });
});

describe('a model with a memory', () => {
  it('is shown each stream in order, by one of its runners, one call at a time', async () => {
    const made = await site({ tracks: { frameMs: 300, manifest: { state: 'stream', instances: 2 } } });
    const cameras = await startCameras(made, 12, ['tracks'], { options: { interval_seconds: 1 } });
    await made.pass(120);
    const looks = looksByCamera(made, 'tracks', cameras);
    expect(sum(looks) / 120).toBeGreaterThan(0.9 * 2 / 0.3);
    expect(Math.min(...looks) / mean(looks)).toBeGreaterThan(0.75);
    for (const camera of cameras) {
      const sequences = (made.seen['tracks'] ?? []).filter((one) => one.camera === camera).map(({ sequence }) => sequence);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    }
  });
});

describe('a set-up of 90 s with 20 cameras', () => {
  it('costs no batch, and then all catch up', async () => {
    const made = await site({ animals: { frameMs: 75, setUpMs: 90_000, manifest: { state: 'stream' } } });
    const cameras = await startCameras(made, CAMERAS, ['animals']);
    await made.pass(300);
    expect(made.books.total().dropped).toEqual({});
    const first = made.records.filter(({ batch }) => Date.parse(batch.started_at) < Date.parse('2026-07-01T12:00:30Z'));
    expect(first).toHaveLength(CAMERAS);
    // What waited as a batch is looked at whole, before what came later.
    expect(first.map(({ models }) => models['animals']?.looked)).toEqual(cameras.map(() => 10));
    for (const camera of cameras) {
      const sequences = (made.seen['animals'] ?? []).filter((one) => one.camera === camera).map(({ sequence }) => sequence);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    }
    const late = made.records.slice(-CAMERAS);
    expect(late.every(({ models }) => models['animals']?.looked === 10)).toBe(true);
    expectBalance(made);
  });

  it('keeps what there is room for, the newest', async () => {
    const made = await site({ animals: { frameMs: 20, setUpMs: 300_000 } });
    await startCameras(made, 4, ['animals']);
    await made.pass(400);
    const { dropped } = made.books.total();
    expect(Object.keys(dropped)).toEqual(['queue_full']);
    // Ten batches of each were closed in 300 s, three of which could wait; then a few frames wait for those that waited.
    expect(dropped['queue_full']).toBeGreaterThanOrEqual(4 * 60);
    expect(made.records.every(({ models }) => (models['animals']?.looked ?? 0) >= 9)).toBe(true);
    expectBalance(made);
  });
});

describe('100 batches of an earlier run', () => {
  it('are looked at beside overload, every tenth call, and all are recorded', async () => {
    // However many were left, they take no room from those of today.
    const made = await site({ animals: { frameMs: 300 } }, { queue_total: 45 });
    const old = await Promise.all(Array.from({ length: 100 }, (_, index) => leftBatch(made, `OLD-${index % 5}`, index)));
    for (const batch of old) await made.pipeline.recover(batch);
    expect(made.pipeline.waiting()).toBe(100);
    const cameras = await startCameras(made, CAMERAS, ['animals']);
    await made.pass(4000);
    const recovered = made.records.filter(({ batch }) => batch.closed_by === 'recovered');
    expect(recovered).toHaveLength(100);
    expect(recovered.every(({ models }) => models['animals']?.looked === 10)).toBe(true);
    const live = looksByCamera(made, 'animals', cameras);
    expect(sum(live) / (sum(live) + 1000)).toBeGreaterThan(0.85);
    expect(Math.min(...live) / mean(live)).toBeGreaterThan(0.8);
    expect(made.books.total().dropped).toEqual({});
    expectBalance(made);
  });
});

describe('an hour at three times what the model can', () => {
  it('leaves nothing behind', async () => {
    const made = await site({ animals: { frameMs: 450 } });
    await startCameras(made, CAMERAS, ['animals']);
    const sizes: number[] = [];
    for (let minutes = 0; minutes < 60; minutes += 10) {
      await made.pass(600);
      sizes.push(made.spool.frames.size + made.spool.manifests.size);
    }
    expect(Math.max(...sizes)).toBeLessThan(CAMERAS * 2 * 11);
    expect(made.pipeline.busy).toBeLessThanOrEqual(2 * CAMERAS);
    const { cameras } = made.tally.of('animals');
    const looked = Object.values(cameras).map((counts) => counts.looked);
    expect(Math.min(...looked) / mean(looked)).toBeGreaterThan(0.95);
    expectBalance(made);
  });
});

describe('500 streams', () => {
  it('share a model that can look at a third of their frames', async () => {
    const made = await site({ animals: { frameMs: 18 } });
    const cameras = await startCameras(made, 500, ['animals'], { spacing: 0.006 });
    await made.pass(120);
    const looks = looksByCamera(made, 'animals', cameras);
    expect(sum(looks) / 120 / (1000 / 18)).toBeGreaterThan(0.95);
    expect(Math.min(...looks) / mean(looks)).toBeGreaterThan(0.7);
    expect(made.books.total()).toMatchObject({ dead_lettered: 0, dropped: {} });
    expectAllTold(made, 'animals');
    expectBalance(made);
  });
});

describe('a full disk', () => {
  it('lets the batches wait that are answered, bounded, and loses none of them', async () => {
    const made = await site({ animals: { frameMs: 20 } }, { queue_total: 15 });
    await startCameras(made, 10, ['animals']);
    await made.pass(25);
    made.spool.full = true;
    await made.pass(120);
    expect(made.records).toEqual([]);
    expect(made.pipeline.busy + made.pipeline.waiting()).toBeLessThanOrEqual(20);
    made.spool.full = false;
    await made.pass(200);
    expect(made.pipeline.troubles()).toEqual([]);
    expect(made.records.length).toBeGreaterThan(40);
    expect(new Set(made.records.map(({ batch }) => batch.id)).size).toBe(made.records.length);
    expectBalance(made);
  });
});

/** A batch that an earlier run closed, in the spool. */
async function leftBatch(made: Site, camera_id: string, number: number): Promise<Batch> {
  const session = await made.spool.open({ camera_id, models: ['animals'], options: USUAL_STREAM_OPTIONS });
  const frames: Frame[] = [];
  for (let index = 0; index < 10; index += 1) {
    const captured_at = new Date(made.clock.now() - 3_600_000 + number * 30_000 + index * 3000).toISOString();
    frames.push(await made.spool.put(session, { captured_at, width: 640, height: 360, picture: { jpeg: new Uint8Array() } }));
  }
  return batchOf(session, frames, 'recovered');
}
