/** Events on their way into a real log: in order, with their pictures, through a full disk, a restart and a stop. */
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { openChronicle, type Chronicle } from '../../src/events/chronicle.ts';
import { createLog, silentLog } from '../../src/lib/log.ts';
import { openLog } from '../../src/log/record-log.ts';
import { openEventPictures } from '../../src/store/event-pictures.ts';
import { openKeptEvents } from '../../src/store/kept-events.ts';
import type { AppendLog, Batch, EventClip, EventEntry, EventItem, EventReview, Frame, StreamRef } from '../../src/types.ts';
import { ruleOf } from '../../src/words/event-rules.ts';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import { until as untilOr } from '../helpers/app.ts';
import { createVirtualClock, type VirtualClock } from '../load/virtual-clock.ts';
import { answered, detection } from './world.ts';

let folder: string;
let clock: VirtualClock;
let log: AppendLog<EventItem>;
let chronicle: Chronicle;
/** Whether an item cannot be appended now. */
let isRefused: (item: EventItem) => boolean;
/** Whether somebody else has taken the folders. */
let isTaken: boolean;
let appends: number;
let lines: string[];
/** Of events that have ended, what their last entry waits for; and what is there. */
let filmed: (entry: EventEntry) => Promise<void> | null;
let clips: Map<string, EventClip>;
let sequence: number;
/** The one that frames are put into. */
let batchId: string;
/** Milliseconds by which the machine's clock is ahead. */
let aheadMs: number;
/** What is asked of the folders takes so long, which has taken as much by now. */
let slowMs: number;
let lostMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-chronicle-'));
  await mkdir(join(folder, 'frames'));
  clock = createVirtualClock();
  [isRefused, isTaken, appends, lines, sequence, aheadMs, slowMs, lostMs] = [() => false, false, 0, [], 0, 0, 0, 0];
  filmed = () => null;
  clips = new Map();
  batchId = BATCH.id;
  await open();
});
afterEach(async () => {
  await chronicle.close();
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

const until = (condition: () => boolean | Promise<boolean>): Promise<void> => untilOr(condition, 5000, () => lines.join(''));
/** Appends wait for it. */
let isHeld: Promise<void> | null = null;
const BATCH = { id: 'batch', camera_id: 'gate' };

async function open(): Promise<void> {
  const config = { predictions: join(folder, 'events.ndjson'), data_dir: folder, index: 'events.idx', format: 'ndjson', rotate_bytes: null, rotate_gzip: false, records_max_bytes: null } as const;
  const whole = log = await openLog<EventItem>({ config, kind: 'events', log: silentLog });
  const kept = await openKeptEvents(folder);
  const pictures = await openEventPictures({ data_dir: folder, event_pictures_max_bytes: 1e6 }, { path: (key) => join(folder, 'frames', key) }, kept.has);
  chronicle = await openChronicle({
    rules: [ruleOf({ name: 'all', quiet_looks: 2, quiet_seconds: 2 })], time_zone: 'UTC', max_alert_age_seconds: 300, batchOf: () => batchId,
    log: {
      ...whole,
      append: async (items, signal) => {
        appends += 1;
        await isHeld;
        if (items.some(isRefused)) throw new Error('ENOSPC: no space left on device');
        await whole.append(items, signal);
      },
    },
    file: join(folder, 'events.json'), expectOurs: () => {
      lostMs += slowMs;
      return isTaken ? Promise.reject(new LookoutError('locked', 'somebody else has it')) : Promise.resolve();
    },
    keepPicture: (event, frame) => pictures.keep(event, frame), kept, filmed: (entry) => filmed(entry), clipOf: (id) => clips.get(id) ?? null, placeOf: () => Promise.resolve(null), sectionOf: () => 'animals', clock: { ...clock, now: () => clock.now() + aheadMs, monotonic: () => clock.monotonic() + lostMs },
    words: createLog({ level: 'debug', format: 'text', write: (line) => lines.push(line) }),
  });
}

/** A second later something is seen, or nothing, in a frame whose picture is on the disk. */
async function look(sees: string | null, { confidence = 0.5, camera = 'gate', isStored = true } = {}): Promise<Frame> {
  const frame = await capture(isStored);
  answer(frame, sees, { confidence, camera });
  return frame;
}

async function capture(isStored = true): Promise<Frame> {
  await clock.pass(1000);
  sequence += 1;
  const frame: Frame = { key: `${sequence}.jpg`, captured_at: new Date(clock.now() + aheadMs).toISOString(), sequence, width: 100, height: 100 };
  if (isStored) await writeFile(join(folder, 'frames', frame.key), `picture ${sequence}`);
  return frame;
}

function answer(frame: Frame, sees: string | null, { confidence = 0.5, camera = 'gate', session = `of ${camera}`, from = 'live' }: Partial<Pick<StreamRef, 'session' | 'from'>> & { readonly confidence?: number; readonly camera?: string } = {}): void {
  chronicle.looked({ camera_id: camera, session, interval_seconds: 1, batch_size: 10, from }, frame, 'm', answered(...(sees === null ? [] : [detection(sees, confidence)])));
}

const batchOf = (id: string, frames: readonly Frame[]): Batch => ({ id, camera_id: 'gate', session: 'of gate', models: ['m'], closed_by: 'recovered', attempts: 0, options: USUAL_STREAM_OPTIONS, frames });
const times = async (n: number, what: () => Promise<Frame>): Promise<readonly Frame[]> => {
  const frames: Frame[] = [];
  for (let one = 0; one < n; one += 1) frames.push(await what());
  return frames;
};

const written = async (): Promise<readonly EventEntry[]> => (await readFile(join(folder, 'events.ndjson'), 'utf8')).split('\n').filter(Boolean).map((line) => JSON.parse(line) as EventEntry);
const states = async (): Promise<readonly string[]> => (await written()).map((entry) => `${entry.id}/${entry.sequence} ${entry.state}`);

/** As after kill -9: nothing more of what ran reaches the disk. */
async function crash(): Promise<void> {
  const left = chronicle;
  const names = async (): Promise<readonly string[]> => (await readdir(folder)).filter((name) => name.startsWith('events.'));
  const files = await Promise.all((await names()).map(async (name) => [name, await readFile(join(folder, name))] as const));
  await left.close();
  await log.close();
  for (const name of await names()) await rm(join(folder, name));
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  await open();
}

describe('the chronicle', () => {
  it('tells nobody of an entry that is not in the log, and names the picture that is kept', async () => {
    const heard: { readonly id: string; readonly inLog: boolean }[] = [];
    const checks: Promise<unknown>[] = [];
    chronicle.onItem((item) => { checks.push(written().then((entries) => heard.push({ id: item.id, inLog: entries.some(({ id }) => id === item.id) }))); });
    await look('dog');
    await chronicle.settled(BATCH);
    const { key } = await look('dog', { confidence: 0.9 });
    await chronicle.settled(BATCH);
    await rm(join(folder, 'frames', key));
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await chronicle.settled(BATCH);
    await Promise.all(checks);
    const [begun, ended] = await written();
    expect(heard).toEqual([{ id: begun?.id, inLog: true }, { id: begun?.id, inLog: true }]);
    expect(begun).toMatchObject({ state: 'begun', best: { confidence: 0.5, picture: `${begun?.id ?? ''}.jpg` } });
    expect(ended).toMatchObject({ state: 'ended', ended_by: 'quiet', frames: 2, best: { confidence: 0.9, picture: `${begun?.id ?? ''}.jpg` } });
    expect(await readFile(join(folder, 'events', `${begun?.id ?? ''}.jpg`), 'utf8')).toBe('picture 2');
  });

  it('writes what is said meanwhile at once, in order, and its state although more is said all the time', async () => {
    const cameras = Array.from({ length: 100 }, (_, number) => `camera-${number}`);
    const frame = await capture();
    let open = (): void => undefined;
    isHeld = new Promise((resolve) => { open = resolve; });
    for (const camera of cameras) answer(frame, 'dog', { camera });
    await until(() => appends === 1);
    isHeld = null;
    open();
    answer(frame, 'cat', { camera: 'late' });
    await chronicle.settled({ id: 'batch', camera_id: 'late' });
    expect(appends).toBeLessThanOrEqual(3);
    expect((await written()).map(({ camera_id }) => camera_id)).toEqual([...cameras, 'late']);
    expect(await readFile(join(folder, 'events.json'), 'utf8')).toContain('camera-99');
  });

  it('loses no entry to a full disk, holds nobody up meanwhile, and names no picture that it could not keep', async () => {
    isRefused = () => true;
    await look('dog', { isStored: false });
    await chronicle.settled(BATCH);
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await look('cat');
    await chronicle.settled(BATCH);
    expect(await written()).toEqual([]);
    expect(lines.join('')).toContain('events cannot be written');
    isRefused = () => false;
    await until(async () => {
      await clock.pass(1000);
      return (await written()).length === 3;
    });
    expect((await written()).map(({ class: name, state }) => `${name} ${state}`)).toEqual(['dog begun', 'dog ended', 'cat begun']);
    expect((await written()).map(({ best }) => best.picture !== null)).toEqual([false, false, true]);
  });

  it('ends at once when it is closed while the disk is full, and goes on from what the log has', async () => {
    await look('dog');
    await chronicle.settled(BATCH);
    const known = await states();
    isRefused = () => true;
    for (const name of ['cat', 'cow', 'hen', 'pig']) await look(name, { camera: name });
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await until(() => appends > 1);
    const before = appends;
    const begun = performance.now();
    await chronicle.close();
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(appends - before).toBe(1);
    isRefused = () => false;
    await log.close();
    await open();
    expect(await states()).toEqual(known);
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await chronicle.settled(BATCH);
    expect(await states()).toEqual([...known, `${known[0]?.split('/')[0] ?? ''}/1 ended`]);
  });

  it('writes neither the log nor its state once the folders are somebody else\'s, and ends all the same', async () => {
    await look('dog');
    await chronicle.settled(BATCH);
    chronicle.silence('yard', null, clock.now() + 60_000);
    await until(async () => (await readFile(join(folder, 'events.json'), 'utf8')).includes('yard'));
    isTaken = true;
    const left = await Promise.all(['events.ndjson', 'events.json'].map((name) => readFile(join(folder, name), 'utf8')));
    chronicle.silence('gate', null, clock.now() + 60_000);
    await look('cat');
    await chronicle.settled(BATCH);
    await chronicle.close();
    expect(await Promise.all(['events.ndjson', 'events.json'].map((name) => readFile(join(folder, name), 'utf8')))).toEqual(left);
    expect(lines.join('')).toContain('events cannot be written');
  });

  it('goes on with the same event after a crash in the middle of it', async () => {
    await look('dog');
    for (let second = 0; second < 4; second += 1) await look('dog');
    await chronicle.settled(BATCH);
    await until(async () => {
      await clock.pass(100);
      return (await readFile(join(folder, 'events.json'), 'utf8')).includes('"frames":5');
    });
    const seen = chronicle.list({ limit: 1 })[0];
    await crash();
    await look('dog');
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await chronicle.settled(BATCH);
    expect((await states()).at(-1)).toBe(`${seen?.id ?? ''}/1 ended`);
    expect(new Set((await written()).map(({ id }) => id)).size).toBe(1);
    expect((await written()).at(-1)?.frames).toBe(6);
  });

  it('forgets nothing in a crash that was seen in batches with a record, whatever it knew when its state was written', async () => {
    const seconds = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    for (const second of seconds) {
      batchId = `batch-${second}`;
      await look('dog');
      await look(second === 9 ? null : 'dog');
      await chronicle.settled({ id: batchId, camera_id: 'gate' });
      if (second % 3 !== 0) continue;
      await crash();
      // Of a power cut.
      if (second === 6) for (const name of (await readdir(folder)).filter((one) => one.includes('since'))) await appendFile(join(folder, name), 'null\n{"entry":3}\n\0\0\n{"entry":{"id":');
    }
    expect((await readdir(folder)).filter((name) => name.includes('since')).length).toBeLessThan(3);
    for (let miss = 0; miss < 2; miss += 1) await look(null);
    await chronicle.settled({ id: batchId, camera_id: 'gate' });
    const [last] = (await written()).slice(-1);
    expect(last).toMatchObject({ state: 'ended', ended_by: 'quiet', frames: 17, batches: seconds.map((second) => `batch-${second}`) });
    // The look that found nothing before the last crash counts too: two are needed, two seconds after it was seen last.
    expect(Date.parse(last?.ended_at ?? '') - Date.parse(last?.last_seen_at ?? '')).toBe(2000);
    await chronicle.close();
    expect((await readdir(folder)).filter((name) => name.includes('since'))).toEqual([]);
  });

  it('takes nothing for certain of what it noted and could not say, nor of what has ended since', async () => {
    await look('dog');
    await chronicle.settled(BATCH);
    isRefused = () => true;
    await clock.pass(10_000);
    await look('dog');
    await chronicle.settled(BATCH);
    expect((await readdir(folder)).filter((name) => name.includes('since')).length).toBeGreaterThan(0);
    await crash();
    expect(await states()).toHaveLength(1);
    isRefused = () => false;
    await times(3, () => look(null));
    await chronicle.settled(BATCH);
    const ended = await states();
    expect(ended.at(-1)).toMatch(/\/1 ended$/);
    await crash();
    await times(3, () => look(null));
    await chronicle.settled(BATCH);
    expect(await states()).toEqual(ended);
  });

  it('keeps visits apart of which the first ended in frames that were not looked at before a crash, in whatever order they are', async () => {
    await look('dog');
    await chronicle.settled(BATCH);
    const [left, leftLater] = [await times(3, capture), await times(2, capture)];
    await crash();
    chronicle.left(batchOf('second', leftLater));
    chronicle.left(batchOf('first', left));
    const since = { session: 'since' };
    for (const frame of await times(2, capture)) answer(frame, 'dog', since);
    for (const frame of leftLater) answer(frame, null, { from: 'recovered', session: 'later' });
    const isSecond = chronicle.settled({ id: 'second', camera_id: 'gate' });
    for (const frame of left) answer(frame, null, { from: 'recovered' });
    expect((await written()).map(({ state }) => state)).toEqual(['begun']);
    await chronicle.settled({ id: 'first', camera_id: 'gate' });
    await isSecond;
    for (const frame of await times(7, capture)) answer(frame, null, since);
    await chronicle.settled(BATCH);
    expect((await written()).map(({ id, state, frames }) => [id === chronicle.list({ limit: 9 })[0]?.id ? 'last' : 'first', state, frames])).toEqual([
      ['first', 'begun', 1], ['first', 'ended', 1], ['last', 'begun', 1], ['last', 'ended', 2],
    ]);
  });

  it('has nothing end by silence before what was left was looked at, however late: who is seen in it had not gone', async () => {
    await look('dog');
    await chronicle.settled(BATCH);
    const left = await times(2, capture);
    await crash();
    chronicle.left(batchOf('left', left));
    for (const frame of await times(7, capture)) answer(frame, null, { session: 'since' });
    await clock.pass(60_000);
    expect((await written()).map(({ state }) => state)).toEqual(['begun']);
    for (const frame of left) answer(frame, 'dog', { from: 'recovered' });
    await chronicle.settled({ id: 'left', camera_id: 'gate' });
    await clock.pass(10_000);
    await chronicle.settled(BATCH);
    expect((await written()).map(({ state, frames }) => [state, frames]).at(-1)).toEqual(['ended', 3]);
    expect(new Set((await written()).map(({ id }) => id)).size).toBe(1);
  });

  it('has the newest first after a restart too, where the clock was ahead before', async () => {
    aheadMs = 7_200_000;
    for (const sees of ['dog', 'cat']) await look(sees);
    await chronicle.settled(BATCH);
    await crash();
    aheadMs = 0;
    for (const sees of ['cow', 'hen']) await look(sees);
    await chronicle.settled(BATCH);
    expect(chronicle.list({ limit: 9 }).map((event) => event.class)).toEqual(['hen', 'cow', 'cat', 'dog']);
  });

  it('remembers over a crash what was not seen before it', async () => {
    await look('dog');
    await look(null);
    await until(async () => {
      await clock.pass(100);
      return (await readFile(join(folder, 'events.json'), 'utf8').catch(() => '')).includes('"misses":[1');
    });
    await crash();
    await clock.pass(2000);
    await look(null);
    await look('dog');
    await chronicle.settled(BATCH);
    expect((await states()).map((state) => state.split(' ')[1])).toEqual(['begun', 'ended', 'begun']);
  });

  it('tells of what is seen now within seconds, whether what an earlier run left is looked at or not', async () => {
    chronicle.left(batchOf('long', await times(2, capture)));
    await look('dog');
    const settled = chronicle.settled(BATCH);
    await clock.pass(9000);
    expect(chronicle.list({ limit: 1 })).toEqual([]);
    await clock.pass(1500);
    await settled;
    expect((await states()).map((state) => state.split(' ')[1])).toEqual(['begun']);
  });

  it('waits for no batch that is not looked at any more', async () => {
    chronicle.left(batchOf('let go', await times(2, capture)));
    await look('dog');
    chronicle.over({ id: 'let go', camera_id: 'gate' });
    await chronicle.settled(BATCH);
    expect((await states()).map((state) => state.split(' ')[1])).toEqual(['begun']);
  });

  it.each([['is torn', '{"version":1,"la'], ['is gone', null], ['is of another version', '{"version":7}']])('goes by the log where its state %s', async (_how, text) => {
    await look('dog');
    await chronicle.settled(BATCH);
    await chronicle.close();
    await log.close();
    await (text === null ? rm(join(folder, 'events.json')) : writeFile(join(folder, 'events.json'), text));
    await open();
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await chronicle.settled(BATCH);
    const [begun, ended] = await written();
    expect(ended).toMatchObject({ id: begun?.id, sequence: 1, state: 'ended', best: { picture: `${begun?.id ?? ''}.jpg` } });
    expect(await written()).toHaveLength(2);
  });

  it('has what was said of an event in the log before it answers, and after a restart', async () => {
    const heard: EventItem[] = [];
    chronicle.onItem((item) => { heard.push(item); });
    await look('dog');
    await chronicle.settled(BATCH);
    const [event] = chronicle.list({ limit: 1 });
    if (!event) throw new Error('no event');
    expect(event).toMatchObject({ verdict: null, keep: false });
    expect(await chronicle.review(event.id, { verdict: 'true_alarm' })).toMatchObject({ verdict: 'true_alarm', keep: false });
    const [one, other] = [chronicle.review(event.id, { keep: true }), chronicle.review(event.id, { verdict: 'false_alarm' })];
    expect([await one, await other]).toMatchObject([{ verdict: 'true_alarm', keep: true }, { verdict: 'false_alarm', keep: true }]);
    await chronicle.review(event.id, { verdict: 'false_alarm', keep: true });
    const reviews = (await written()).slice(1) as unknown as readonly EventReview[];
    expect(reviews.map(({ kind, event: of, camera_id, rule, verdict, keep }) => [kind, of, camera_id, rule, verdict, keep])).toEqual([
      ['review', event.id, 'gate', 'all', 'true_alarm', false], ['review', event.id, 'gate', 'all', 'true_alarm', true], ['review', event.id, 'gate', 'all', 'false_alarm', true],
    ]);
    expect(heard.slice(1)).toEqual(reviews);
    await expect(chronicle.review('none', { keep: true })).rejects.toMatchObject({ code: 'not_found' });

    await crash();
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await chronicle.settled(BATCH);
    expect(chronicle.get(event.id)).toMatchObject({ state: 'ended', sequence: 1, verdict: 'false_alarm', keep: true });
    expect(chronicle.list({ limit: 5, verdict: 'none' })).toEqual([]);
    expect(chronicle.list({ limit: 5, verdict: 'false_alarm' })).toHaveLength(1);
    expect(chronicle.since(reviews[1]?.id ?? '')).toMatchObject([{ kind: 'review', keep: true }, { kind: 'event' }]);
    await chronicle.review(event.id, { verdict: null, keep: false });
    await crash();
    expect(chronicle.get(event.id)).toMatchObject({ verdict: null, keep: false });
  });

  it('says so where the log does not take what is said of an event, and keeps nobody waiting', async () => {
    await look('dog');
    await chronicle.settled(BATCH);
    const id = chronicle.list({ limit: 1 })[0]?.id ?? '';
    isRefused = ({ kind }) => kind === 'review';
    await expect(chronicle.review(id, { verdict: 'false_alarm' })).rejects.toMatchObject({ code: 'log_failed' });
    await expect(chronicle.review(id, { verdict: 'true_alarm' })).rejects.toMatchObject({ code: 'log_failed' });
    isRefused = () => false;
    await until(async () => {
      await clock.pass(1000);
      return (await written()).length === 2;
    });
    expect(await chronicle.review(id, { verdict: 'true_alarm' })).toMatchObject({ verdict: 'true_alarm' });
  });

  it('knows what the picture shows, before an entry tells of it', async () => {
    await look('dog');
    await chronicle.settled(BATCH);
    await look('dog', { confidence: 0.9 });
    await look('dog', { confidence: 0.95, isStored: false });
    const id = chronicle.list({ limit: 1 })[0]?.id ?? '';
    expect(await chronicle.shown(id)).toMatchObject({ confidence: 0.9, picture: `${id}.jpg` });
    expect(chronicle.get(id)?.best.confidence).toBe(0.5);
    expect(await chronicle.shown('none')).toBeNull();
  });

  it('has the last entry of an event wait for its clip, and nobody else: neither other events nor records nor the state', async () => {
    let finish = (): void => undefined;
    filmed = ({ state, class: name }) => (state === 'ended' && name === 'dog' ? new Promise((resolve) => { finish = resolve; }) : null);
    await look('dog');
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await look('cat');
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await chronicle.settled(BATCH);
    expect((await written()).map(({ class: name, state }) => `${name} ${state}`)).toEqual(['dog begun', 'cat begun', 'cat ended']);
    await until(async () => {
      await clock.pass(1000);
      return (await readFile(join(folder, 'events.json'), 'utf8')).includes(`"last":{"id":"${(await written())[1]?.id ?? ''}","sequence":1}`);
    });
    // Killed now, it has not ended, and ends once.
    const waited = crash();
    finish();
    await waited;
    filmed = () => null;
    const [dog] = await written();
    clips.set(dog?.id ?? '', { id: 'clip', made_of: 'video', begins_at: '2026-01-01T00:00:00.000Z', ends_at: '2026-01-01T00:00:09.000Z' });
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await chronicle.settled(BATCH);
    expect((await states()).slice(3)).toEqual([`${dog?.id ?? ''}/1 ended`]);
    expect((await written()).at(-1)).toMatchObject({ class: 'dog', clip: { id: 'clip' }, batches: ['batch'] });
  });

  it('keeps no state of what is still on its way into the log', async () => {
    isRefused = () => true;
    await look('dog');
    chronicle.silence('yard', null, clock.now() + 60_000);
    await look('cat');
    isRefused = (item) => item.kind === 'event' && item.class === 'cat';
    await until(async () => {
      await clock.pass(1000);
      return (await written()).length === 1;
    });
    const before = appends;
    await until(async () => {
      await clock.pass(1000);
      return appends > before;
    });
    await crash();
    isRefused = () => false;
    for (let miss = 0; miss < 4; miss += 1) await look(null);
    await chronicle.settled(BATCH);
    expect((await written()).map(({ class: name, state }) => `${name} ${state}`)).toEqual(['dog begun', 'dog ended']);
  });

  it('writes its state more rarely the longer that takes, four times a minute at the least, and a silence at once', async () => {
    const file = (): Promise<string> => readFile(join(folder, 'events.json'), 'utf8');
    const statesOf = async (seconds: number): Promise<number> => {
      const found = new Set<string>();
      await times(seconds, async () => {
        const frame = await look('dog');
        await chronicle.settled(BATCH);
        found.add(await file());
        return frame;
      });
      return found.size;
    };
    expect(await statesOf(10)).toBeGreaterThanOrEqual(4);
    slowMs = 1000;
    await statesOf(3);
    // A second of each is lost where it is noted how the event goes on.
    const rare = await statesOf(16);
    expect([rare > 1, rare < 5]).toEqual([true, true]);
    chronicle.silence('yard', null, clock.now() + 60_000);
    await chronicle.settled(BATCH);
    expect(await file()).toContain('yard');
  });

  it('takes a thousand looks in a fraction of a second', async () => {
    const stream = { camera_id: 'gate', session: 's', interval_seconds: 1, batch_size: 10, from: 'live' } as const;
    const begun = process.cpuUsage();
    for (let number = 0; number < 1000; number += 1) {
      const frame: Frame = { key: `none/${number}`, captured_at: new Date(clock.now() + number).toISOString(), sequence: number, width: 100, height: 100 };
      chronicle.looked({ ...stream, camera_id: `camera ${number % 50}`, session: `of ${number % 50}` }, frame, 'm', answered(detection('dog', 0.5 + number / 1e4)));
    }
    const { user, system } = process.cpuUsage(begun);
    expect((user + system) / 1000).toBeLessThan(500);
    await chronicle.settled(BATCH);
    expect(await written()).toHaveLength(50);
  });
});
