/** Which events have a clip, from when to when, and what becomes of one that cannot be kept; of frames, as no video comes. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openTakes, type Takes, type TakesParts } from '../../src/clips/takes.ts';
import { LookoutError } from '../../src/errors.ts';
import { createLog } from '../../src/lib/log.ts';
import { openClips, type Clips } from '../../src/store/clips.ts';
import type { EventEntry, Frame, Recording } from '../../src/types.ts';
import { ruleOf, type GivenRule } from '../../src/words/event-rules.ts';
import { eventItem } from '../contracts/follower.ts';
import { until } from '../helpers/app.ts';
import { createManualClock, type ManualClock } from '../helpers/manual-clock.ts';
import { plenty } from '../helpers/plenty.ts';
import { canMount, mountSmallDisk } from '../helpers/small-disk.ts';

/** Of the stream. */
const OPTIONS = { clips: false, interval_seconds: 0.5 };

let folder: string;
let clips: Clips;
let takes: Takes;
let start: number;
/** It is nine seconds after the start. */
let clock: ManualClock;
let lines: string[];
let captured: number;
const heldIn = (): Promise<readonly string[]> => readdir(join(folder, 'takes', 'frames')).catch(() => []);
/** Of takes that go on, without the frames that are held. */
const inTakes = async (): Promise<readonly string[]> => (await readdir(join(folder, 'takes'), { recursive: true })).filter((name) => !name.startsWith('frames'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-takes-'));
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x48', '-frames:v', '1', join(folder, 'picture.jpg')]);
  clips = await openClips({ data_dir: folder, clips_max_bytes: 1e9 }, () => Promise.resolve(), () => false, createLog({ level: 'error', format: 'text' }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  start = Date.now() - 9000;
  clock = createManualClock(start + 9000);
  lines = [];
  captured = 0;
});

/** Rules differ from one that is named `default`. */
async function open(rules: readonly Partial<GivenRule>[] = [{}], more: Partial<TakesParts> = {}): Promise<void> {
  const stop = new AbortController();
  takes = await openTakes({
    data_dir: folder, clips, rules: () => rules.map((rule) => ruleOf({ name: 'default', clips: true, pre_roll_seconds: 1, post_roll_seconds: 1, ...rule })), optionsOf: () => OPTIONS,
    record: () => Promise.reject(new LookoutError('no_live_video', 'it sends none')), pathOf: () => join(folder, 'picture.jpg'), room: plenty,
    clock, log: createLog({ level: 'debug', format: 'text', write: (line) => lines.push(line) }), signal: stop.signal, ...more,
  });
  onTestFinished(async () => {
    stop.abort();
    await takes.close();
  });
}

/** Of video, which is written a little later than it is stopped. */
function recording(seconds: number, written: () => void = () => undefined): Recording {
  let end = (_why: null): void => undefined;
  const ended = new Promise<null>((resolve) => { end = resolve; });
  void ended.then(written);
  return { begins_at: timeOf(seconds), codec: 'h264', width: 64, height: 48, reason: null, ended, stop() { setImmediate(end, null); } };
}

const frameAt = (seconds: number): Frame => ({ key: 'picture', sequence: 0, captured_at: timeOf(seconds), width: 64, height: 48 });
const timeOf = (seconds: number): string => new Date(start + 1000 * seconds).toISOString();
const entry = (more: Partial<EventEntry>): EventEntry => ({ ...eventItem(1).value as unknown as EventEntry, alert: true, suppressed: null, ...more });
const tell = async (more: Partial<EventEntry>): Promise<void> => { await takes.told(entry(more)); };

/** Frames each half second, from and up to these, and held. */
async function capture(from: number, to: number): Promise<void> {
  for (let at = from; at <= to; at += 0.5) {
    takes.offered('gate', frameAt(at), OPTIONS);
    captured += 1;
  }
  await until(async () => (await heldIn()).length === captured, 5000, () => 'frames are not held');
}
const begun = (): Promise<void> => until(async () => (await inTakes()).some((name) => name.endsWith('take.json')), 5000, () => 'no take has begun');
/** Seconds from the start at which its clip begins and ends. */
function shown(id: string): readonly [number, number] | null {
  const clip = takes.of(id);
  return clip && [(Date.parse(clip.begins_at) - start) / 1000, (Date.parse(clip.ends_at) - start) / 1000];
}

describe('an event', () => {
  it('has a clip from when it alerts, however long it went on before', async () => {
    await open();
    await capture(0, 8);
    const id = 'later';
    expect(takes.told(entry({ id, began_at: timeOf(1), last_seen_at: timeOf(2), alert: false, suppressed: 'cooldown' }))).toBeNull();
    await tell({ id, state: 'going_on', began_at: timeOf(1), last_seen_at: timeOf(5) });
    await tell({ id, state: 'ended', began_at: timeOf(1), last_seen_at: timeOf(6.5) });
    expect(shown(id)).toEqual([4, expect.closeTo(7.5, 2)]);
    expect(clips.get(takes.of(id)?.id ?? '')).toMatchObject({ made_of: 'frames', camera_id: 'gate', events: [id], width: 64, height: 48, codec: 'h264' });
  });

  it('begins as early as its rule says, though it takes min_frames long to be met', async () => {
    await open([{ min_frames: { seen: 3, of: 21 } }]);
    clock.pass(8);
    await capture(0, 17);
    await tell({ id: 'slow', began_at: timeOf(2), last_seen_at: timeOf(11) });
    await tell({ id: 'slow', state: 'ended', last_seen_at: timeOf(12) });
    expect(shown('slow')).toEqual([1, expect.closeTo(13, 2)]);
  });

  it('is shown where its camera is looked at so seldom that the frame before it is older than a clip may be long', async () => {
    await open([{ clip_max_seconds: 20 }]);
    for (const at of [-130, 2, 3]) await capture(at, at);
    await tell({ id: 'seldom', began_at: timeOf(2), last_seen_at: timeOf(2) });
    await tell({ id: 'seldom', state: 'ended', last_seen_at: timeOf(3) });
    expect(shown('seldom')).toEqual([-130, expect.closeTo(4, 2)]);
  });

  it('has none that does not alert, nor one that was seen before what is kept', async () => {
    await open();
    await capture(0, 8);
    for (const one of [{ id: 'no alert', alert: false, suppressed: 'rule' }, { id: 'long ago', began_at: timeOf(-20), last_seen_at: timeOf(-20) }] as const) {
      expect(takes.told(entry({ began_at: timeOf(2), last_seen_at: timeOf(2), ...one }))).toBeNull();
      expect(takes.told(entry({ began_at: timeOf(2), last_seen_at: timeOf(4), ...one, state: 'ended' }))).toBeNull();
      expect(shown(one.id)).toBeNull();
    }
  });

  it('has one no longer than it may be, which is there before the event ends; the next has its own', async () => {
    await open([{ clip_max_seconds: 3 }]);
    await capture(0, 3);
    await tell({ id: 'long', began_at: timeOf(2), last_seen_at: timeOf(2) });
    await begun();
    await capture(3.5, 8);
    await until(() => takes.of('long') !== null, 5000, () => lines.join(''));
    expect(shown('long')?.[0]).toBe(1);
    expect(shown('long')?.[1]).toBeGreaterThan(3);
    expect(shown('long')?.[1]).toBeLessThan(4.05);
    await tell({ id: 'next', began_at: timeOf(6), last_seen_at: timeOf(6) });
    await Promise.all(['long', 'next'].map((id) => tell({ id, state: 'ended', began_at: timeOf(2), last_seen_at: timeOf(6.5) })));
    expect(takes.of('next')?.id).not.toBe(takes.of('long')?.id);
    expect(shown('next')).toEqual([5, expect.closeTo(7.5, 2)]);
  });

  it('shares that of one before it whose last second it begins in', async () => {
    await open();
    await capture(0, 8);
    await tell({ id: 'first', began_at: timeOf(2), last_seen_at: timeOf(2) });
    await tell({ id: 'first', state: 'ended', began_at: timeOf(2), last_seen_at: timeOf(3) });
    expect(shown('first')).toEqual([1, expect.closeTo(4, 2)]);
    await tell({ id: 'second', began_at: timeOf(4.5), last_seen_at: timeOf(4.5) });
    await tell({ id: 'second', state: 'ended', began_at: timeOf(4.5), last_seen_at: timeOf(5) });
    for (const id of ['first', 'second']) expect(shown(id)).toEqual([1, expect.closeTo(6, 2)]);
    expect(takes.of('first')).toEqual(takes.of('second'));
  });

  it('has as much as its rule wants of what it shares with one that begins in the same look', async () => {
    await open([{ name: 'short', pre_roll_seconds: 0, clip_max_seconds: 2 }, { name: 'long', pre_roll_seconds: 3 }]);
    await capture(0, 8);
    const both = ['short', 'long'].map((rule) => ({ id: `${rule} of a look`, rule, began_at: timeOf(4) }));
    for (const one of both) await tell({ ...one, last_seen_at: timeOf(4) });
    await Promise.all(both.map((one) => tell({ ...one, state: 'ended', last_seen_at: timeOf(6) })));
    expect(shown('long of a look')).toEqual([1, expect.closeTo(7, 2)]);
    expect(takes.of('short of a look')).toEqual(takes.of('long of a look'));
  });

  it('has its own that wants more than a clip shows which is being recorded: an earlier beginning, or half of its length', async () => {
    await open([{ name: 'short', pre_roll_seconds: 0, clip_max_seconds: 4 }, { name: 'early', pre_roll_seconds: 2, clip_max_seconds: 5 }]);
    await capture(0, 8);
    await tell({ id: 'one', rule: 'short', began_at: timeOf(2), last_seen_at: timeOf(2) });
    await begun();
    await tell({ id: 'two', rule: 'early', began_at: timeOf(2.5), last_seen_at: timeOf(2.5) });
    await tell({ id: 'three', rule: 'short', began_at: timeOf(5.5), last_seen_at: timeOf(5.5) });
    await Promise.all([['one', 3], ['two', 3.5], ['three', 6]].map(([id, seconds]) => tell({ id: String(id), state: 'ended', last_seen_at: timeOf(Number(seconds)) })));
    expect([shown('one'), shown('two'), shown('three')]).toEqual([[2, expect.closeTo(4, 2)], [0.5, expect.closeTo(4.5, 2)], [5.5, expect.closeTo(7, 2)]]);
  });

  it('is shown to the end of its post-roll, though another that ends with it has a shorter one', async () => {
    await open([{ name: 'short' }, { name: 'long', post_roll_seconds: 30 }]);
    await capture(0, 8);
    for (const rule of ['short', 'long']) await tell({ id: `${rule} tail`, rule, began_at: timeOf(2), last_seen_at: timeOf(2) });
    const long = tell({ id: 'long tail', state: 'ended', last_seen_at: timeOf(8) });
    await tell({ id: 'short tail', state: 'ended', last_seen_at: timeOf(3) });
    expect(shown('short tail')).toEqual([1, expect.closeTo(4, 2)]);
    clock.pass(28);
    takes.offered('gate', frameAt(36), OPTIONS);
    await until(async () => (await inTakes()).some((name) => name.includes(String(start + 36_000))), 5000, () => lines.join(''));
    clock.pass(2);
    await long;
    expect(shown('long tail')).toEqual([1, expect.closeTo(38, 2)]);
  });

  it('has the frames too that come while a clip is made of those before', async () => {
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => { goOn = resolve; });
    let isMaking = false;
    await open([{}], {
      clips: { ...clips, async keep(...all) {
        isMaking = true;
        await held;
        return clips.keep(...all);
      } },
    });
    await capture(0, 8);
    for (const id of ['before', 'after']) await tell({ id, began_at: timeOf(2), last_seen_at: timeOf(2) });
    const before = tell({ id: 'before', state: 'ended', last_seen_at: timeOf(7) });
    await until(() => isMaking, 5000, () => lines.join(''));
    takes.offered('gate', frameAt(8.5), OPTIONS);
    await until(async () => (await inTakes()).some((name) => name.includes(String(start + 8500))), 5000, () => lines.join(''));
    goOn();
    await before;
  });

  it('is told without one where the disk is full, which one line says; nothing is left of it', async () => {
    await open([{}], { clips: { ...clips, keep: () => Promise.reject(new LookoutError('disk_full', 'there is no room')) } });
    await capture(0, 8);
    await tell({ id: 'full', began_at: timeOf(2), last_seen_at: timeOf(2) });
    await tell({ id: 'full', state: 'ended', began_at: timeOf(2), last_seen_at: timeOf(3) });
    await takes.close();
    expect(shown('full')).toBeNull();
    expect(lines.filter((line) => line.includes('no clip is kept of an event'))).toEqual([expect.stringContaining('there is no room')]);
    expect(await readdir(join(folder, 'takes'))).toEqual(['frames']);
  });
});

it('few clips are made at a time, of events that end together and of what an earlier run left', async () => {
  const cameras = ['a', 'b', 'c', 'd'];
  for (const id of cameras) {
    await mkdir(join(folder, 'takes', id), { recursive: true });
    await writeFile(join(folder, 'takes', id, 'take.json'), JSON.stringify({ id, camera_id: id, made_of: 'frames', events: [`left of ${id}`], begins_at: timeOf(1), ends_at: timeOf(2) }));
  }
  const made: string[] = [];
  let [now, most] = [0, 0];
  await open([{}], {
    clips: { ...clips, async keep({ events }) {
      now += 1;
      most = Math.max(most, now);
      await new Promise(setImmediate);
      now -= 1;
      made.push(...events);
      throw new Error('that is all');
    } },
  });
  for (const id of cameras) await tell({ id, camera_id: id, began_at: timeOf(2), last_seen_at: timeOf(2) });
  await Promise.all(cameras.map((id) => tell({ id, camera_id: id, state: 'ended', last_seen_at: timeOf(3) })));
  await takes.close();
  expect(new Set(made)).toEqual(new Set([...cameras, ...cameras.map((id) => `left of ${id}`)]));
  expect(most).toBe(2);
});

describe('what an earlier run left', () => {
  const leave = async (facts: object = {}): Promise<string> => {
    const own = join(folder, 'takes', 'left');
    await mkdir(own, { recursive: true });
    await copyFile(join(folder, 'picture.jpg'), join(own, `${start + 1000}_64x48.jpg`));
    await writeFile(join(own, 'take.json'), JSON.stringify({ id: `left-${start}`, camera_id: 'gate', made_of: 'frames', events: ['left'], begins_at: timeOf(1), ends_at: timeOf(3), codec: 'h264', ...facts }));
    return own;
  };
  const full = (): Promise<never> => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));

  it('of a clip is left for the next start where the disk is full, and made at once where room is made', async () => {
    const own = await leave();
    await open([{}], { clips: { ...clips, keep: full } });
    await takes.close();
    expect(lines).toEqual([expect.stringContaining(`stays until the next start folder=${own} reason="no space left on device"`)]);
    let tries = 0;
    const keep: Clips['keep'] = (of, make) => {
      tries += 1;
      return tries === 1 ? full() : clips.keep(of, make);
    };
    await open([{}], { clips: { ...clips, keep }, room: { failed: () => Promise.resolve(true) } });
    await takes.close();
    expect([shown('left'), await readdir(join(folder, 'takes'))]).toEqual([[1, expect.closeTo(2, 2)], []]);
  });

  it.skipIf(!canMount)('of a clip is left where ffmpeg has no room for it (needs leave to mount)', async () => {
    const own = await leave();
    const disk = mountSmallDisk(1);
    onTestFinished(() => { disk.unmount(); });
    await writeFile(join(disk.folder, 'filler'), Buffer.alloc(1 << 20));
    await open([{}], { clips: { ...clips, keep: (_of, make) => make(join(disk.folder, 'clip.mp4')) as never } });
    await takes.close();
    expect(lines).toEqual([expect.stringContaining('stays until the next start')]);
    await rm(own, { recursive: true });
  });

  it('that says nothing of a clip goes', async () => {
    for (const facts of [{ events: null }, { ends_at: 7 }]) {
      await leave(facts);
      await open();
      expect(await readdir(join(folder, 'takes'))).toEqual([]);
    }
  });
});

it('what is captured too late to show an event is no clip, and the log says why', async () => {
  await open();
  await capture(6, 8);
  await tell({ id: 'of frames', began_at: timeOf(2), last_seen_at: timeOf(2) });
  await tell({ id: 'of frames', state: 'ended', last_seen_at: timeOf(3) });
  await takes.close();
  await open([{}], { record: () => Promise.resolve(recording(6)) });
  await tell({ id: 'of video', began_at: timeOf(2), last_seen_at: timeOf(2) });
  void tell({ id: 'of video', state: 'ended', last_seen_at: timeOf(3) });
  await begun();
  await takes.close();
  expect([shown('of frames'), shown('of video')]).toEqual([null, null]);
  expect(lines.filter((line) => line.includes(`begins at ${timeOf(6)}, and the event was to be shown until ${timeOf(4)}`))).toHaveLength(2);
});

it('a recording that begins when nothing more is wanted is stopped at once', async () => {
  const goOn: (() => void)[] = [];
  const order: string[] = [];
  await open([{}], {
    record: () => new Promise((resolve) => { goOn.push(() => { resolve(recording(1, () => order.push('written'))); }); }),
    clips: { ...clips, keep() {
      order.push('kept');
      throw new Error('that is all');
    } },
  });
  await tell({ id: 'closed', began_at: timeOf(2), last_seen_at: timeOf(2) });
  await until(() => goOn.length > 0, 5000, () => 'nothing is recorded');
  const closed = takes.close();
  goOn[0]?.();
  await closed;
  expect(order).toEqual(['written', 'kept']);
});

it('a clip is made once what its recording begins with is written, however late the event was seen', async () => {
  await open([{}], { record: () => Promise.resolve(recording(1)) });
  await tell({ id: 'late', began_at: timeOf(2), last_seen_at: timeOf(2) });
  const ended = tell({ id: 'late', state: 'ended', last_seen_at: timeOf(3) });
  await begun();
  await new Promise((resolve) => { setTimeout(resolve, 50); });
  expect(lines).toEqual([]);
  clock.pass(0.5);
  await ended;
  expect(lines.join('')).toContain('video.mp4');
});

it('holds no frames of cameras whose events have no clips', async () => {
  await open([{ cameras: ['yard'] }]);
  for (const camera of ['gate', 'yard']) takes.offered(camera, frameAt(0), OPTIONS);
  await until(async () => (await heldIn()).length > 0, 5000, () => 'frames are not held');
  expect(await heldIn()).toHaveLength(1);
});

it('lets go of the frames of a camera whose events have clips no more', async () => {
  const rules = [{ clips: true }];
  await open(rules);
  await capture(0, 1);
  rules[0] = { clips: false };
  takes.offered('gate', frameAt(2), OPTIONS);
  await until(async () => (await heldIn()).length === 0, 5000, () => 'frames are held');
});
