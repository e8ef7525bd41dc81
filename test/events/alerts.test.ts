import { describe, expect, it } from 'vitest';
import { readState } from '../../src/events/state.ts';
import type { EventRule } from '../../src/types.ts';
import { answered, createWorld, detection, secondsOf, T0, type World } from './world.ts';

const rule = (given: Partial<EventRule>): [Partial<EventRule> & { name: string }] => [{ name: 'all', ...given }];
/** An episode of three looks that is over when the next one comes. */
function episode(world: World, at: number, of: Parameters<World['see']>[1] = {}): void {
  for (const seconds of [0, 3, 6]) world.see(at + seconds, of);
  for (const seconds of [9, 12, 15, 18]) world.miss(at + seconds, of);
}
const alerts = (world: World): readonly unknown[] => world.shown().map(({ alert }) => alert);
const HOUR = 3600;

describe('a cooldown', () => {
  it('keeps further episodes of the rule, camera and class from alerting', () => {
    const world = createWorld(rule({ cooldown_seconds: 60 }));
    episode(world, 0);
    episode(world, 30);
    episode(world, 61);
    world.see(90, { camera: 'b', session: 't' });
    expect(alerts(world)).toEqual([true, 'cooldown', true, true]);
  });

  it('puts the alert off: what is still there when it is over alerts then, once', () => {
    const world = createWorld(rule({ cooldown_seconds: 60 }));
    episode(world, 0);
    for (let at = 42; at < 90; at += 3) world.see(at);
    const flips = world.entries().filter(({ id }) => id === 'id-1');
    expect(flips.map(({ alert, at }) => [alert, secondsOf(at)])).toEqual([[false, 42], [false, 52], [true, 60], [true, 70], [true, 80]]);
  });

  it('does not last longer when the clock is set back', () => {
    const world = createWorld(rule({ cooldown_seconds: 60 }));
    episode(world, 0);
    episode(world, 30, { session: 't', clock: -HOUR });
    expect(alerts(world)).toEqual([true, true]);
  });
});

describe('hours', () => {
  it('are those of the zone in which the frame was captured', () => {
    const world = createWorld(rule({ hours: '* 14 * * *' }), { time_zone: 'Europe/Berlin' });
    episode(world, 0);
    episode(world, HOUR - 4, { lag: 30 });
    episode(world, HOUR + 60);
    expect(alerts(world)).toEqual([true, true, 'hours']);
  });

  it('that begin while it goes on let it alert, with the first look that sees it then', () => {
    const world = createWorld(rule({ hours: '* 13-23 * * *' }));
    for (let at = HOUR - 30; at <= HOUR + 12; at += 3) world.see(at);
    expect(world.entries().map(({ alert, suppressed, last_seen_at }) => [alert, suppressed, secondsOf(last_seen_at)])).toEqual([
      [false, 'hours', HOUR - 30], [false, 'hours', HOUR - 21], [false, 'hours', HOUR - 12], [false, 'hours', HOUR - 3], [true, null, HOUR], [true, null, HOUR + 9],
    ]);
  });

  it('that end while it goes on take nothing back', () => {
    const world = createWorld(rule({ hours: '* 12 * * *' }));
    for (let at = HOUR - 12; at <= HOUR + 30; at += 3) world.see(at);
    expect(alerts(world)).toEqual([true]);
  });
});

describe('a daily limit', () => {
  it('lets so many alert, and says the first that it keeps back, and how many at the day\'s end', () => {
    const world = createWorld(rule({ daily_limit: 2 }));
    for (let hour = 0; hour < 6; hour += 1) episode(world, hour * HOUR);
    expect(alerts(world)).toEqual([true, true, 'daily_limit', 'daily_limit', 'daily_limit', 'daily_limit']);
    expect(world.summaries()).toMatchObject([{ camera_id: 'a', rule: 'all', day: '2026-07-01', suppressed: 1, alerts: 2, when: 'first' }]);
    world.until(12 * HOUR - 1);
    expect(world.summaries()).toHaveLength(1);
    world.until(12 * HOUR + 61);
    world.until(40 * HOUR);
    expect(world.summaries().slice(1)).toMatchObject([{ day: '2026-07-01', suppressed: 4, alerts: 2, when: 'day_end' }]);
    episode(world, 41 * HOUR);
    expect(alerts(world).at(-1)).toBe(true);
  });

  it('is of a rule and camera', () => {
    const world = createWorld([{ name: 'all', daily_limit: 1 }, { name: 'other', daily_limit: 1 }]);
    for (const camera of ['a', 'b']) for (const at of [0, 30]) episode(world, at + (camera === 'b' ? 60 : 0), { camera, session: camera });
    expect(world.events().map(({ camera_id, rule: name, alert }) => `${camera_id} ${name} ${String(alert)}`).sort()).toEqual([
      'a all false', 'a all true', 'a other false', 'a other true', 'b all false', 'b all true', 'b other false', 'b other true',
    ]);
  });

  it.each([
    ['spring', '2026-03-28T23:00:00Z', 23],
    ['autumn', '2026-10-24T22:00:00Z', 25],
    ['summer', '2026-06-30T22:00:00Z', 24],
  ])('is of the days of the zone, of which one in %s has other hours', (_, midnight, hours) => {
    const world = createWorld(rule({ daily_limit: 1 }), { time_zone: 'Europe/Berlin' });
    const start = (Date.parse(midnight) - T0) / 1000;
    // A minute before midnight, and then in the first and the last minute of the day, and in the next.
    for (const seconds of [0, 61, 91, hours * HOUR + 30, hours * HOUR + 61]) episode(world, seconds, { clock: start - 60, session: `s${seconds}` });
    expect(alerts(world)).toEqual([true, true, 'daily_limit', 'daily_limit', true]);
    expect(world.summaries().map(({ when, suppressed }) => [when, suppressed])).toEqual([['first', 1], ['day_end', 2]]);
  });

  it('is kept across restarts, by the log and by the state', () => {
    for (const isKept of [true, false]) {
      const world = createWorld(rule({ daily_limit: 2 }));
      episode(world, 0);
      episode(world, 60);
      episode(world, 120);
      const state = isKept ? world.state() : null;
      episode(world, 180);
      world.crash(world.log.length, state);
      episode(world, 240, { session: 't' });
      expect(alerts(world)).toEqual([true, true, 'daily_limit', 'daily_limit', 'daily_limit']);
      world.until(13 * HOUR);
      expect(world.summaries()).toMatchObject([{ when: 'first', suppressed: 1 }, { when: 'day_end', suppressed: 3, alerts: 2 }]);
    }
  });

  it('says it again when a crash came before it was written, and only then', () => {
    const world = createWorld(rule({ daily_limit: 1 }));
    episode(world, 0);
    episode(world, 60);
    const place = world.log.findIndex(({ kind }) => kind === 'summary');
    world.crash(place);
    world.see(70);
    world.crash();
    episode(world, 120, { session: 't' });
    episode(world, 160, { session: 't' });
    expect(world.summaries()).toMatchObject([{ when: 'first', suppressed: 2 }]);
  });
});

describe('what is stationary', () => {
  const at = (x: number): ReturnType<typeof answered> => answered(detection('car', 0.9, x));
  const two = answered(detection('car', 0.9, 10), detection('car', 0.8, 60));
  const gone = (world: World, from: number): void => { for (const seconds of [0, 3, 6, 9, 12]) world.miss(from + seconds); };

  it('has alerted where it is and alerts no more; a further one does', () => {
    const world = createWorld(rule({ stationary: true }));
    world.look(0, at(10));
    gone(world, 3);
    world.look(30, at(11));
    gone(world, 33);
    world.look(60, at(40));
    gone(world, 63);
    world.look(90, answered(detection('truck', 0.9, 10)));
    expect(alerts(world)).toEqual([true, 'stationary', true, true]);
  });

  it('alerts when a further one comes while it is there', () => {
    const world = createWorld(rule({ stationary: true, max_seconds: 10 }));
    for (const seconds of [0, 3, 6, 9]) world.look(seconds, at(10));
    for (const seconds of [12, 15]) world.look(seconds, at(10));
    expect(alerts(world)).toEqual([true, 'stationary']);
    world.look(18, two);
    expect(alerts(world)).toEqual([true, true]);
    for (const seconds of [21, 24, 27]) world.look(seconds, two);
    expect(alerts(world)).toEqual([true, true, 'stationary']);
  });

  it('is forgotten after an hour of looks without it, not after one without looks', () => {
    const world = createWorld(rule({ stationary: true }));
    world.look(0, at(10));
    gone(world, 3);
    world.look(5 * HOUR, at(10));
    for (let seconds = 5 * HOUR + 3; seconds <= 6 * HOUR + 6; seconds += 3) world.miss(seconds);
    world.look(6 * HOUR + 9, at(10));
    expect(alerts(world)).toEqual([true, 'stationary', true]);
  });

  it('is forgotten likewise where each picture that a camera brings is looked at', () => {
    const world = createWorld(rule({ stationary: true }));
    const each = { interval: 0 };
    world.look(0, at(10), each);
    for (let seconds = 5; seconds <= HOUR + 60; seconds += 5) world.miss(seconds, each);
    world.look(HOUR + 65, at(10), each);
    expect(alerts(world)).toEqual([true, true]);
  });

  it('is known across restarts, also when the state is old or gone', () => {
    for (const keep of ['state', 'log'] as const) {
      const world = createWorld(rule({ stationary: true }));
      const empty = world.state();
      world.look(0, at(10));
      gone(world, 3);
      world.crash(world.log.length, keep === 'state' ? world.state() : empty);
      world.look(30, at(10), { session: 't' });
      expect(alerts(world)).toEqual([true, 'stationary']);
    }
  });

  it('is so for each rule by itself, also across restarts', () => {
    const world = createWorld([{ name: 'all', stationary: true }, { name: 'cars', classes: ['car'], stationary: true }]);
    world.look(0, at(10));
    gone(world, 3);
    world.crash(world.log.length, world.state());
    world.look(30, at(10), { session: 't' });
    expect(alerts(world)).toEqual([true, true, 'stationary', 'stationary']);
  });

  it('was of no rule in earlier states, and is known to all then', () => {
    const world = createWorld(rule({ stationary: true }));
    world.look(0, at(10));
    gone(world, 3);
    const state = world.state();
    const { a } = state.cameras;
    if (a) world.crash(world.log.length, { ...state, cameras: { a: { ...a, stationary: a.stationary.map(([name, model, place, unseenMs]) => [name, model, place, unseenMs]) } } });
    world.look(30, at(10), { session: 't' });
    expect(alerts(world)).toEqual([true, 'stationary']);
  });

  it('is where it is in pictures of any size', () => {
    const world = createWorld(rule({ stationary: true }));
    world.look(0, at(10));
    gone(world, 3);
    const { stationary } = world.state().cameras['a'] ?? { stationary: [] };
    expect(stationary.map(([, , place]) => place)).toEqual([[0.1, 0.1, 0.3, 0.3]]);
  });
});

describe('a silence', () => {
  it('is of a camera, or one of its rules, until it is over; what is still there alerts then', () => {
    const world = createWorld([{ name: 'one' }, { name: 'two' }]);
    world.engine.silence('a', 'one', T0 + 30_000, world.moment);
    world.engine.silence('b', null, T0 + 30_000, world.moment);
    for (let seconds = 0; seconds < 45; seconds += 3) for (const camera of ['a', 'b']) world.see(seconds, { camera, session: camera });
    const first = (camera: string, name: string): number | null => secondsOf(world.entries().find((entry) => entry.camera_id === camera && entry.rule === name && entry.alert)?.at ?? null);
    expect([first('a', 'one'), first('a', 'two'), first('b', 'one'), first('b', 'two')]).toEqual([30, 0, 30, 30]);
  });

  it('is kept in the state, can be ended, and is ended by a clock that is set back', () => {
    const world = createWorld();
    world.engine.silence('a', null, T0 + 3_600_000, world.moment);
    world.crash(0, world.state());
    expect(world.engine.silences(world.moment)).toHaveLength(1);
    episode(world, 0);
    episode(world, 30, { clock: -HOUR, session: 't' });
    expect(alerts(world)).toEqual(['silenced', true]);
    world.until(60);
    world.engine.silence('a', null, 0, world.moment);
    expect(world.engine.silences(world.moment)).toEqual([]);
  });
});

describe('looks of an earlier run', () => {
  it('alert when they are not too old', () => {
    const world = createWorld();
    episode(world, 0, { from: 'recovered', lag: 299 });
    episode(world, 200, { from: 'recovered', lag: 299, session: 't' });
    expect(alerts(world)).toEqual([true, true]);
  });

  it('that are too old never alert; what is still there does', () => {
    const world = createWorld();
    episode(world, 0, { from: 'recovered', lag: 301 });
    for (const seconds of [200, 203]) world.see(seconds, { from: 'kept', session: 't', lag: 301 });
    expect(alerts(world)).toEqual(['too_old', 'too_old']);
    world.see(506, { session: 't' });
    expect(world.shown().map(({ alert, ended_by }) => [alert, ended_by])).toEqual([['too_old', 'quiet'], ['too_old', 'not_looked'], [true, 'begun']]);
  });

  it('are an episode of their own beside the one of now', () => {
    const world = createWorld();
    world.see(2000, { session: 'now' });
    for (const seconds of [0, 3, 6]) world.see(seconds, { session: 'before', from: 'recovered', lag: 2001 });
    world.see(2010, { session: 'now' });
    world.until(3000);
    expect(world.shown()).toMatchObject([
      { began: 2000, seen: 2010, frames: 2, alert: true }, { began: 0, seen: 6, frames: 3, alert: 'too_old', ended_by: 'not_looked', ended: 306 },
    ]);
  });
});

describe('the entry with which an event begins to alert', () => {
  const told = (world: World): readonly unknown[] => world.entries().filter(({ alerts_now }) => alerts_now).map(({ id, state, at }) => [id, state, secondsOf(at)]);

  it('says so, and no other: its first one, or a later one where it began suppressed; none of what never alerts', () => {
    const world = createWorld(rule({ cooldown_seconds: 60 }));
    episode(world, 0);
    episode(world, 24);
    for (let at = 48; at < 90; at += 3) world.see(at);
    world.until(400);
    expect(alerts(world)).toEqual([true, 'cooldown', true]);
    expect(told(world)).toEqual([['id-0', 'begun', 0], ['id-2', 'going_on', 60]]);
    expect(world.entries().every((entry) => entry.alerts_now === true || !('alerts_now' in entry))).toBe(true);
  });

  it('is one after a crash, whether it was written or not, with a state of before it, of after it, or without any', () => {
    for (const suppressed of [true, false]) {
      for (const isWritten of [true, false]) {
        for (const kept of ['before', 'after', 'none'] as const) {
          const world = createWorld();
          if (suppressed) world.engine.silence('a', null, T0 + 5000, world.moment);
          if (suppressed) world.see(0);
          const before = world.state();
          const seconds = suppressed ? 6 : 0;
          world.see(seconds);
          expect(told(world)).toEqual([['id-0', suppressed ? 'going_on' : 'begun', seconds]]);
          // A state knows of nothing that is not in the log.
          world.crash(isWritten ? world.log.length : world.log.length - 1, { before, after: isWritten ? world.state() : before, none: null }[kept]);
          for (const at of [9, 12, 24]) world.see(at, { session: 't' });
          expect(told(world), `${String(suppressed)} ${String(isWritten)} ${kept}`).toHaveLength(1);
          expect(new Set(world.entries().map(({ id }) => id)).size).toBe(1);
        }
      }
    }
  });
});

it('a rule that alerts nobody logs its events all the same', () => {
  const world = createWorld(rule({ alert: false }));
  episode(world, 0);
  expect(world.shown()).toEqual([{ name: 'dog', ended_by: 'quiet', began: 0, seen: 6, ended: 18, frames: 3, alert: 'rule' }]);
});

describe('a state', () => {
  it('is read only where it is one', () => {
    const world = createWorld();
    world.see(0);
    const state: unknown = JSON.parse(JSON.stringify(world.state()));
    expect(readState(state)).toEqual(state);
    for (const value of [null, [], {}, { version: 2 }, { version: 1, open: {}, cameras: {}, silences: [] }, 'x']) expect(readState(value)).toBeNull();
  });

  it('knows of what goes on where the log does not reach back, with its batches and the interval of its stream', () => {
    const world = createWorld();
    for (const at of [0, 600, 1200]) world.see(at, { interval: 600 });
    const state = world.state();
    world.crash(world.log.length, { ...state, last: null });
    expect(world.state().open).toEqual(state.open);
    world.see(1800, { interval: 600, session: 't' });
    expect(world.shown()).toMatchObject([{ began: 0, seen: 1800, frames: 4 }]);
  });

  it('counts no alert twice that the log has as well', () => {
    const world = createWorld(rule({ daily_limit: 2 }));
    episode(world, 0);
    for (let times = 0; times < 3; times += 1) world.crash(world.log.length, world.state());
    episode(world, 60, { session: 't' });
    episode(world, 120, { session: 't' });
    expect(alerts(world)).toEqual([true, true, 'daily_limit']);
  });

  it('counts no alert twice where the log was restored as it was before the state, or lost its end', () => {
    const world = createWorld(rule({ daily_limit: 4 }));
    for (const at of [0, 60, 120]) episode(world, at);
    const state = world.state();
    const days = (): unknown => world.state().cameras['a']?.days;
    expect(days()).toMatchObject([{ alerts: 3, suppressed: 0, told: null }]);
    for (let left = world.log.length - 1; left >= 0; left -= 1) {
      world.crash(left, state);
      expect(days()).toEqual(state.cameras['a']?.days);
    }
    for (const at of [180, 240]) episode(world, at, { session: 't' });
    expect(alerts(world)).toEqual([true, 'daily_limit']);
  });

  it('whose rule is gone interrupts what goes on', () => {
    const world = createWorld();
    world.see(0);
    const told = createWorld([{ name: 'other' }]).engine.restore(world.state(), world.log, world.moment);
    expect(told.items).toMatchObject([{ id: 'id-0', state: 'ended', ended_by: 'interrupted', sequence: 1 }]);
  });

  it('of many cameras ends what has no stream any more when it is told so', () => {
    const world = createWorld();
    for (const camera of ['a', 'b']) world.see(0, { camera, session: camera });
    world.crash();
    expect(world.engine.open()).toEqual(['a', 'b']);
    world.take(world.engine.stopped('b', world.moment));
    expect(world.engine.open()).toEqual(['a']);
    expect(world.events().map(({ camera_id, ended_by }) => [camera_id, ended_by])).toEqual([['a', null], ['b', 'interrupted']]);
  });
});
