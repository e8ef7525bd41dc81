/** What becomes of items on their way to a target that is there, away, slow, or refuses them. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { startFollowers, type Followers } from '../../src/following/followers.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import { openLog } from '../../src/log/record-log.ts';
import type { AppendLog, ConfiguredFollower, EventEntry, Follower, FollowerMember, Item } from '../../src/types.ts';
import { contextOf, eventItem, recordItem, reviewItem } from '../contracts/follower.ts';
import { until as untilOr } from '../helpers/app.ts';
import { canMount, mountSmallDisk, type SmallDisk } from '../helpers/small-disk.ts';

const until = (condition: () => boolean | Promise<boolean>, ms: number): Promise<void> => untilOr(condition, ms, () => lines.join(''));
const never = new AbortController().signal;
/** A hundred times as fast. */
const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() * 100, sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) };

/** A target in memory: it is away, refuses and fails as it is told. */
interface Target {
  readonly taken: string[];
  /** Of these, what somebody asked for. */
  readonly asked: string[];
  readonly calls: number[];
  isAway: boolean;
  /** For each call, in milliseconds. */
  takes: number;
  isClosed: boolean;
  refuses: (item: Item) => boolean;
  failsOn: (item: Item) => boolean;
  /** It hears nothing of these. */
  isSpared: (item: Item) => boolean;
}

let folder: string;
/** Where followers keep what is theirs. */
let home: string;
let log: AppendLog<object>;
let followers: Followers | null = null;
let target: Target;
const lines: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-courier-'));
  home = folder;
  log = await open();
  target = { taken: [], asked: [], calls: [], isAway: false, takes: 0, isClosed: false, refuses: () => false, failsOn: () => false, isSpared: () => false };
  lines.length = 0;
});
afterEach(async () => {
  await followers?.close();
  followers = null;
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

const open = (more: object = {}, kind: Item['log'] = 'events'): Promise<AppendLog<object>> => openLog<object>({
  config: { predictions: join(folder, 'events.ndjson'), data_dir: folder, index: 'events.idx', format: 'ndjson', rotate_bytes: null, rotate_gzip: false, records_max_bytes: null, ...more },
  kind, log: createLog({ level: 'error', format: 'text', write: () => undefined }),
});

function memberOf(own: Target, more: Partial<FollowerMember> = {}): FollowerMember {
  const follower: Follower = {
    async deliver(items) {
      await systemClock.sleep(own.takes, never);
      own.calls.push(items.length);
      if (items.every(own.isSpared)) return [];
      if (own.isAway) throw new LookoutError('target_away', 'nobody is at home');
      if (items.some(own.failsOn)) throw new LookoutError('target_away', 'it fell over');
      const taken = items.filter((item) => !own.refuses(item));
      own.taken.push(...taken.map(({ id }) => id));
      own.asked.push(...taken.filter(({ asked }) => asked === true).map(({ id }) => id));
      return items.filter(own.refuses).map((item) => ({ item, reason: 'not to its taste' }));
    },
    isSent: (item) => Promise.resolve(!own.isSpared(item)),
    test: () => Promise.resolve('it is there'),
    close: () => Promise.resolve(void (own.isClosed = true)),
  };
  return { summary: 'in memory', settings: {}, secrets: [], target: ({ at = 'home' }) => String(at), create: () => follower, ...more };
}

async function start(more: Partial<ConfiguredFollower> = {}, hold = 0, records: AppendLog<object> | null = null): Promise<Followers> {
  await followers?.close();
  followers = await startFollowers({
    config: { data_dir: home, followers_hold_bytes: hold, followers: [{ name: 'one', type: 'memory', logs: ['events'], events: 'alerts', from: 'beginning', pictures: false, aside_max_bytes: 1e6, ...more }] },
    members: new Map([['memory', memberOf(target)], ['reviewed', memberOf(target, { takesReviews: true })], ['single', memberOf(target, { oneByOne: true })]]), version: '0', picture: () => Promise.resolve(null), clip: () => null,
    logs: new Map<Item['log'], AppendLog<object>>([['events', log], ...(records ? [['records', records] as const] : [])]), lookout: contextOf({}).lookout, clock, log: createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) }),
  });
  return followers;
}

const append = async (from: number, to = from, more: Partial<EventEntry> = {}): Promise<void> => {
  for (let number = from; number <= to; number += 1) await log.append([eventItem(number, more).value], never);
};
const ids = (from: number, to: number): readonly string[] => Array.from({ length: to - from + 1 }, (_, at) => eventItem(from + at).id);
const took = (expected: readonly string[]): Promise<void> => until(() => target.taken.length >= expected.length, 10_000).then(() => { expect(target.taken).toEqual(expected); });
const status = async (): Promise<unknown> => (await followers?.statuses())?.[0];

/** So many items lie aside, and it would take them now. */
async function setAside(count: number, more: Partial<ConfiguredFollower> = {}): Promise<void> {
  target.refuses = () => true;
  await append(1, count);
  await start(more);
  await until(async () => (await status() as { set_aside: number }).set_aside === count, 5000);
  target.refuses = () => false;
}

describe('a follower', () => {
  it('is brought what is in the log and what comes, in order', async () => {
    await append(1, 3);
    await start();
    await took(ids(1, 3));
    const begun = Date.now();
    await append(4);
    await took(ids(1, 4));
    expect(Date.now() - begun).toBeLessThan(1000);
    expect(await status()).toMatchObject({ name: 'one', target: 'home', state: 'idle', delivered: 4, lag_items: 0, set_aside: 0, lost: 0 });
  });

  it('begins with what comes where it is to begin now, and at a time', async () => {
    await append(1, 3);
    await start({ from: 'now' });
    await append(4);
    await took(ids(4, 4));
    await start({ name: 'two', from: eventItem(3).time ?? '' });
    await took([...ids(4, 4), ...ids(3, 4)]);
  });

  it('gets those events only that alert, unless it wants all', async () => {
    await append(1, 1, { alert: false, suppressed: 'cooldown' });
    await append(2);
    await start();
    await took(ids(2, 2));
    await start({ name: 'two', events: 'all' });
    await took([...ids(2, 2), ...ids(1, 2)]);
  });

  it('gets what is said of events where it wants all, or it changes what it has brought', async () => {
    const [event, review] = [eventItem(1), reviewItem(1)];
    for (const { value } of [event, review]) await log.append([value], never);
    await start();
    await took([event.id]);
    await start({ name: 'two', type: 'reviewed' });
    await took([event.id, event.id, review.id]);
    await start({ name: 'three', events: 'all' });
    await took([event.id, event.id, review.id, event.id, review.id]);
  });

  it('goes on where it was after a restart, and brings nothing twice after a stop in order', async () => {
    await append(1, 3);
    await start();
    await took(ids(1, 3));
    await followers?.close();
    await append(4, 6);
    await start();
    await took(ids(1, 6));
  });

  it('waits while the target is away, says so once, and brings all when it is there again', async () => {
    target.isAway = true;
    await append(1, 40);
    await start();
    await until(async () => (await status() as { state: string }).state === 'waiting', 5000);
    expect(await status()).toMatchObject({ reason: 'nobody is at home', lag_items: 40, delivered: 0 });
    await append(41, 60);
    await until(() => target.calls.length > 12, 10_000);
    target.isAway = false;
    await took(ids(1, 60));
    await until(async () => (await status() as { state: string }).state === 'idle', 5000);
    expect(lines.filter((line) => line.includes('is away'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('is there again'))).toHaveLength(1);
    // Many were brought together again soon.
    expect(target.calls.filter((length) => length === 1).length).toBeLessThan(40);
  });

  it('is not there again, and has taken nothing, for what is passed over without asking it', async () => {
    target.isAway = true;
    await append(1);
    await start();
    await until(async () => (await status() as { state: string }).state === 'waiting', 5000);
    // As alerts that have become too old.
    target.isSpared = () => true;
    await append(2, 3);
    await until(async () => (await status() as { lag_items: number }).lag_items === 0, 5000);
    expect(await status()).toMatchObject({ state: 'waiting', reason: 'nobody is at home', delivered: 0, last_delivered_at: null });
    target.isSpared = () => false;
    target.isAway = false;
    await append(4);
    await took(ids(4, 4));
    await until(async () => (await status() as { state: string }).state === 'idle', 5000);
    expect(await status()).toMatchObject({ delivered: 1 });
    expect(lines.filter((line) => line.includes('is away'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('is there again'))).toHaveLength(1);
  });

  it('stops at once while the target is away', async () => {
    target.isAway = true;
    await append(1);
    await start();
    await until(() => target.calls.length > 0, 5000);
    const begun = Date.now();
    await followers?.close();
    expect(Date.now() - begun).toBeLessThan(1000);
  });

  it('has what the target refuses set aside, and brings it again when it is asked to', async () => {
    target.refuses = ({ id }) => id === eventItem(2).id;
    await append(1, 3);
    await start();
    await until(() => target.taken.length === 2, 5000);
    await until(async () => (await status() as { set_aside: number }).set_aside === 1, 5000);
    const [file = ''] = await readdir(join(folder, 'followers/one.aside'));
    expect(JSON.parse(await readFile(join(folder, 'followers/one.aside', file), 'utf8'))).toMatchObject({ reason: 'not to its taste', item: { id: eventItem(2).id } });
    expect(await followers?.retry('one')).toBe(0);
    target.refuses = () => false;
    expect(await followers?.retry('one')).toBe(1);
    expect(target.taken.toSorted()).toEqual(ids(1, 3));
    expect(await readdir(join(folder, 'followers/one.aside'))).toEqual([]);
    expect(await status()).toMatchObject({ set_aside: 0, delivered: 3 });
  });

  it('is brought of what was set aside also what lies behind those on which the target still falls over', async () => {
    await setAside(6);
    target.failsOn = ({ id }) => ids(2, 4).includes(id);
    expect(await followers?.retry('one')).toBe(1);
    // After three in a row it gave up, and begins with the others.
    expect(await followers?.retry('one')).toBe(2);
    await expect(followers?.retry('one')).rejects.toMatchObject({ code: 'target_away' });
    expect(target.taken).toEqual([...ids(1, 1), ...ids(5, 6)]);
    expect(await status()).toMatchObject({ set_aside: 3, delivered: 3 });
  });

  it('tells who asks for a retry whether what was set aside was taken, though what is new is not', async () => {
    await setAside(6);
    target.isAway = true;
    target.takes = 20;
    await append(7);
    await expect(followers?.retry('one')).rejects.toMatchObject({ code: 'target_away' });
    target.isAway = false;
    target.failsOn = ({ id }) => id === eventItem(7).id;
    expect(await followers?.retry('one')).toBe(6);
    expect(target.taken.toSorted()).toEqual(ids(1, 6));
  });

  it('is brought what was set aside by turns with what waits, also where it has one log', async () => {
    await setAside(5, { type: 'single' });
    target.takes = 20;
    await append(6, 40);
    const before = target.taken.length;
    expect(await followers?.retry('one')).toBe(5);
    expect(target.taken.length - before).toBeLessThan(15);
    await took([...target.taken, ...ids(6, 40).filter((id) => !target.taken.includes(id))]);
  });

  it('is brought what is new while much that was set aside is brought again', async () => {
    await setAside(12);
    target.takes = 150;
    const retried = followers?.retry('one');
    await until(() => target.taken.length === 1, 5000);
    await append(13);
    expect(await retried).toBe(12);
    expect(target.taken.toSorted()).toEqual(ids(1, 13));
    expect(target.taken.indexOf(eventItem(13).id)).toBeLessThan(11);
  });

  it('is told what was asked for by a retry, or a rewind, also after a restart', async () => {
    target.refuses = ({ id }) => id === eventItem(2).id;
    await append(1, 3);
    await start();
    await until(async () => (await status() as { set_aside: number }).set_aside === 1, 5000);
    target.refuses = () => false;
    expect(await followers?.retry('one')).toBe(1);
    expect(target.asked).toEqual(ids(2, 2));
    target.isAway = true;
    await followers?.rewind('one', 'beginning');
    await followers?.close();
    target.isAway = false;
    await append(4, 4, { at: new Date(Date.now() + 60_000).toISOString() });
    await start();
    await until(() => target.taken.length === 7, 10_000);
    expect(target.taken.slice(3)).toEqual(ids(1, 4));
    expect(target.asked.slice(1)).toEqual(ids(1, 3));
  });

  it('passes over the one on which the target falls over, once others are taken meanwhile', async () => {
    target.failsOn = ({ id }) => id === eventItem(7).id;
    await append(1, 20);
    await start();
    await until(() => target.taken.includes(eventItem(20).id), 20_000);
    expect([...new Set(target.taken)]).toEqual(ids(1, 20).filter((id) => id !== eventItem(7).id));
    await until(async () => (await status() as { set_aside: number }).set_aside === 1, 5000);
  }, 30_000);

  it('passes over the last ones on which the target falls over, once another comes', async () => {
    target.failsOn = ({ id }) => ids(3, 4).includes(id);
    await append(1, 4);
    await start();
    await until(() => target.calls.length > 10, 20_000);
    expect(await status()).toMatchObject({ state: 'waiting', set_aside: 0 });
    await append(5);
    await until(async () => (await status() as { set_aside: number }).set_aside === 2, 20_000);
    await until(async () => (await status() as { lag_items: number }).lag_items === 0, 5000);
    expect([...new Set(target.taken)]).toEqual([...ids(1, 2), ...ids(5, 5)]);
  });

  it('does not read at each try while the target is away what it has read behind the item that waits', async () => {
    let read = 0;
    const whole = log;
    log = { ...whole, reader: () => {
      const own = whole.reader();
      return { ...own, async read(...given) {
        const stretch = await own.read(...given);
        read += stretch.items.length;
        return stretch;
      } };
    } };
    target.isAway = true;
    await append(1);
    await append(2, 20, { alert: false, suppressed: 'cooldown' });
    await start({ type: 'single' });
    await until(() => target.calls.length > 8, 20_000);
    expect(read).toBe(20 + 19);
    await append(21);
    target.isAway = false;
    await took([...ids(1, 1), ...ids(21, 21)]);
  });

  it('sets nothing aside while the target is away, though of others there is nothing to send', async () => {
    target.isAway = true;
    target.isSpared = ({ id }) => id !== eventItem(1).id;
    await append(1, 3);
    await start();
    await until(() => target.calls.length > 10, 20_000);
    expect(await status()).toMatchObject({ state: 'waiting', set_aside: 0 });
    target.isAway = false;
    await took(ids(1, 1));
  });

  it.each([['torn', '{"target": "x", "pla'], ['empty', ''], ['of something else', '{"places": [], "target": 1}'], ['with odd places', '{"target":"a","places":{"events":{"volume":1}},"delivered":0,"lost":0}']])('begins anew where its cursor is %s, and keeps that aside', async (_, text) => {
    await append(1, 2);
    await start();
    await took(ids(1, 2));
    await followers?.close();
    await writeFile(join(folder, 'followers/one.json'), text);
    await start();
    await took([...ids(1, 2), ...ids(1, 2)]);
    expect((await readdir(join(folder, 'followers'))).some((name) => name.includes('damaged'))).toBe(true);
    expect(lines.join()).toContain('cursor could not be read');
  });

  it('waits for nothing once it is rewound to now', async () => {
    target.isAway = true;
    await append(1, 2);
    await start();
    await until(async () => (await status() as { state: string }).state === 'waiting', 5000);
    await followers?.rewind('one', 'now');
    expect(await status()).toMatchObject({ state: 'idle', reason: '', lag_items: 0 });
    await append(3);
    await until(async () => (await status() as { state: string }).state === 'waiting', 5000);
    target.isAway = false;
    await took(ids(3, 3));
  });

  it('begins anew where its cursor is a folder, and keeps that aside', async () => {
    await mkdir(join(folder, 'followers/one.json'), { recursive: true });
    await append(1, 2);
    await start();
    await took(ids(1, 2));
    expect((await readdir(join(folder, 'followers'))).some((name) => name.includes('damaged'))).toBe(true);
    expect(lines.join()).toContain('cursor could not be read');
  });

  it('counts as lost what goes of what was set aside for want of room, and what somebody removes is not there', async () => {
    await setAside(1);
    target.refuses = () => true;
    await start({ aside_max_bytes: 1 });
    await append(2, 4);
    await until(async () => (await status() as { lost: number }).lost === 3, 5000);
    expect(await status()).toMatchObject({ set_aside: 1 });
    expect(lines.join('')).toContain('that were set aside are gone');
    for (const name of await readdir(join(folder, 'followers/one.aside'))) await rm(join(folder, 'followers/one.aside', name));
    expect(await followers?.retry('one')).toBe(0);
    expect(await status()).toMatchObject({ set_aside: 0 });
  });

  it('goes on where a cursor of the future leads nowhere', async () => {
    await append(1, 2);
    await start();
    await took(ids(1, 2));
    await followers?.close();
    const cursor = JSON.parse(await readFile(join(folder, 'followers/one.json'), 'utf8')) as { places: { events: object } };
    await writeFile(join(folder, 'followers/one.json'), JSON.stringify({ ...cursor, places: { events: { ...cursor.places.events, items: 900, last: 'x', time: '2999-01-01T00:00:00Z' } } }));
    await start();
    await until(() => lines.some((line) => line.includes('not there any more')), 5000);
    await append(3);
    await took(ids(1, 3));
  });

  it('leaves nothing out that it goes on with there, though it is given an order meanwhile', async () => {
    await append(1, 3);
    await start();
    await took(ids(1, 3));
    await followers?.close();
    const cursor = JSON.parse(await readFile(join(folder, 'followers/one.json'), 'utf8')) as { places: { events: object } };
    await writeFile(join(folder, 'followers/one.json'), JSON.stringify({ ...cursor, places: { events: { volume: 'gone', items: 1, last: 'gone', time: eventItem(1).time } } }));
    await mkdir(join(folder, 'followers/one.aside'));
    await writeFile(join(folder, 'followers/one.aside/1-a.json'), JSON.stringify({ item: eventItem(9) }));
    target.isAway = true;
    await start();
    await until(async () => (await status() as { state: string }).state === 'waiting', 5000);
    await expect(followers?.retry('one')).rejects.toMatchObject({ code: 'target_away' });
    target.isAway = false;
    await took([...ids(1, 3), ...ids(2, 3)]);
  });

  it('keeps its place when its target is another, and says so; rewound, it begins anew', async () => {
    await append(1, 2);
    await start();
    await took(ids(1, 2));
    await start({ at: 'elsewhere' });
    await append(3);
    await took(ids(1, 3));
    expect(lines.join()).toContain('delivers to elsewhere now');
    await followers?.rewind('one', 'beginning');
    await took([...ids(1, 3), ...ids(1, 3)]);
    target.isAway = true;
    await append(4);
    await until(async () => (await status() as { state: string }).state === 'waiting', 5000);
    await followers?.rewind('one', 'now');
    target.isAway = false;
    await append(5);
    await until(() => target.taken.includes(eventItem(5).id), 5000);
    expect(target.taken).not.toContain(eventItem(4).id);
    for (const to of ['yesterday', 'yesterday 3', '5', '2026-01-31', '2026-13-01T00:00:00Z']) await expect(followers?.rewind('one', to)).rejects.toMatchObject({ code: 'bad_request' });
    await expect(followers?.rewind('two', 'now')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('holds files that would go, within a bound; what is lost beyond is counted and said', async () => {
    await log.close();
    log = await open({ rotate_bytes: 3000, records_max_bytes: 4000 });
    target.isAway = true;
    await start({}, 20_000);
    await append(1, 12);
    target.isAway = false;
    await took(ids(1, 12));
    target.isAway = true;
    await append(13, 120);
    target.isAway = false;
    await until(() => target.taken.includes(eventItem(120).id), 10_000);
    const { lost } = await status() as { lost: number };
    expect(lost).toBeGreaterThan(0);
    expect(new Set(target.taken).size + lost).toBe(120);
    expect(lines.join()).toContain('before they were delivered');
  });

  it('holds them over a restart, whatever comes before it has begun', async () => {
    const small = { rotate_bytes: 1, records_max_bytes: 0 };
    await log.close();
    log = await open(small);
    target.isAway = true;
    await start({}, 1e9);
    await append(1, 3);
    await followers?.close();
    await log.close();
    log = await open(small);
    await append(4);
    target.isAway = false;
    await start({}, 1e9);
    await took(ids(1, 4));
  });

  it('says nothing of files that go after they were delivered', async () => {
    await log.close();
    log = await open({ rotate_bytes: 1, records_max_bytes: eventItem(1).bytes + 100 });
    await start();
    for (let number = 1; number <= 4; number += 1) {
      await append(number);
      await took(ids(1, number));
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('events-'))).toEqual([]);
    // Counted once its place in the log is kept.
    await expect.poll(status).toMatchObject({ delivered: 4, lost: 0 });
    expect(lines.join()).not.toContain('before they were delivered');
  });

  it('goes on with the next file where one went while it was brought', async () => {
    await log.close();
    log = await open({ rotate_bytes: 1, records_max_bytes: 0 });
    await start();
    await append(1);
    await took(ids(1, 1));
    target.isAway = true;
    await append(2);
    await until(async () => (await status() as { state: string }).state === 'waiting', 5000);
    await append(3);
    target.isAway = false;
    await took(ids(1, 3));
    expect(await status()).toMatchObject({ lost: 0 });
    expect(lines.join()).not.toContain('not there any more');
  });
});

describe.skipIf(!canMount)('a follower on a full disk', () => {
  let disk: SmallDisk;
  const fill = (): Promise<void> => writeFile(join(home, 'filler'), Buffer.alloc(2_000_000)).catch(() => undefined);
  const free = (): Promise<void> => rm(join(home, 'filler'));
  beforeEach(() => {
    disk = mountSmallDisk(1);
    home = disk.folder;
  });
  afterEach(async () => {
    await followers?.close();
    followers = null;
    disk.unmount();
  });

  it('begins, says why it cannot go on, and once there is room brings nothing twice', async () => {
    await fill();
    target.refuses = ({ id }) => id === eventItem(2).id;
    await append(1, 3);
    await start();
    await until(() => target.calls.length > 0, 5000);
    await until(async () => (await status() as { state: string }).state === 'waiting', 5000);
    expect(await status()).toMatchObject({ reason: expect.stringContaining('ENOSPC') as string, set_aside: 0 });
    await free();
    await until(async () => (await status() as { state: string }).state === 'idle', 5000);
    expect(await status()).toMatchObject({ reason: '', set_aside: 1, delivered: 2 });
    expect(target.calls).toEqual([3]);
  });

  it('stays where it is when a rewind cannot be written, and is closed all the same', async () => {
    await append(1, 2);
    await start();
    await took(ids(1, 2));
    await fill();
    await expect(followers?.rewind('one', 'beginning')).rejects.toThrow('ENOSPC');
    await append(3);
    await took(ids(1, 3));
    await followers?.close();
    expect(target.isClosed).toBe(true);
    expect(lines.join()).toContain('one did not stop in order');
  });
});

describe('beside a log of records', () => {
  let records: AppendLog<object>;
  const openRecords = async (more: object = {}): Promise<void> => { records = await open({ predictions: join(folder, 'p.json'), index: 'records.idx', format: 'json', ...more }, 'records'); };
  afterEach(() => records.close());

  it('records are nobody\'s alert: all are delivered', async () => {
    await openRecords();
    await records.append([recordItem(1).value], never);
    await start({ logs: ['records', 'events'] }, 0, records);
    await append(1);
    await until(() => target.taken.length === 2, 5000);
    expect(target.taken.toSorted()).toEqual([eventItem(1).id, recordItem(1).id].toSorted());
  });

  it('passes over what cannot be read, counts it as lost, and says so', async () => {
    await writeFile(join(folder, 'p.json'), `[{"n": 1, "Latitude": NaN}, {"deep": ${'['.repeat(6000)}${']'.repeat(6000)}}, {"n": 2}]`);
    await openRecords();
    await start({ logs: ['records'] }, 0, records);
    await until(() => target.taken.length === 2, 5000);
    await until(async () => (await status() as { state: string }).state === 'idle', 5000);
    expect(await status()).toMatchObject({ delivered: 2, lost: 1, lag_items: 0 });
    expect(lines.join()).toContain('items of the log of records cannot be read, and are passed over items=1');
  });

  it('is not behind for what cannot be read at the end, which is passed over with what comes next', async () => {
    await writeFile(join(folder, 'p.json'), `[{"n": 1}, {"deep": ${'['.repeat(6000)}${']'.repeat(6000)}}]`);
    await openRecords();
    await start({ logs: ['records'] }, 0, records);
    await until(async () => (await status() as { state: string }).state === 'idle', 5000);
    expect(await status()).toMatchObject({ delivered: 1, lost: 0, lag_items: 0 });
    await records.append([recordItem(2).value], never);
    await until(() => target.taken.length === 2, 5000);
    await until(async () => (await status() as { lost: number }).lost === 1, 5000);
  });

  it('each log has its turn, however many items of the other wait', async () => {
    await openRecords();
    for (let number = 1; number <= 30; number += 1) await records.append([recordItem(number).value], never);
    target.takes = 5;
    await start({ type: 'single', logs: ['events', 'records'] }, 0, records);
    await until(() => target.taken.length > 0, 5000);
    await append(1);
    await until(() => target.taken.length === 31, 10_000);
    expect(target.taken.at(-1)).toBe(recordItem(30).id);
  });

  it('one that follows events only holds no records', async () => {
    await openRecords({ rotate_bytes: 1, records_max_bytes: 0 });
    await start({}, 1e9, records);
    for (const number of [1, 2, 3]) await records.append([recordItem(number).value], never);
    expect((await readdir(folder)).filter((name) => name.startsWith('p-'))).toEqual([]);
    expect(await status()).toMatchObject({ lost: 0 });
  });
});
