import { describe, expect, it } from 'vitest';
import type { EventState } from '../../src/events/state.ts';
import type { GivenRule } from '../../src/words/event-rules.ts';
import { createRandom, type Random } from './random.ts';
import { episodesOf, type PlainLook } from './reference.ts';
import { answered, createWorld, detection, FAILED, secondsOf, type World } from './world.ts';

const LONG = 3000;
const QUIET = 10;

/** Visits of some looks, with misses among them, failures, and now and then a gap. */
function looksOf(random: Random, length: number): readonly PlainLook[] {
  let at = 0;
  let isThere = false;
  return Array.from({ length }, () => {
    at += random.chance(0.01) ? 3 + 3 * random.next(200) : 3;
    if (random.chance(0.1)) isThere = !isThere;
    const what = random.chance(0.1) ? 'e' : random.chance(isThere ? 0.7 : 0.02) ? '+' : '-';
    return { at, what };
  });
}

const lookOf = (what: PlainLook['what']) => (what === 'e' ? FAILED : what === '+' ? answered(detection('dog')) : answered());

/** What holds of every log, once nothing is going on any more. */
function check(world: World, positives: readonly number[]): void {
  for (const { id } of world.events()) {
    const entries = world.entries().filter((entry) => entry.id === id);
    expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, index) => index));
    expect(entries.map(({ state }) => state === 'ended')).toEqual(entries.map((_, index) => index === entries.length - 1));
    expect(entries[0]?.state).toBe('begun');
    expect(entries.map(({ alert, alerts_now = false }) => [alert, alerts_now])).toEqual(
      entries.map(({ alert }, index) => [alert && entries.slice(index).every((later) => later.alert), alert && entries[index - 1]?.alert !== true]),
    );
    for (const { frames, last_seen_at, began_at } of entries) expect(frames >= 1 && last_seen_at >= began_at).toBe(true);
  }
  const spans = world.shown().map(({ began, seen, ended }) => [began ?? 0, ended ?? 0, seen ?? 0] as const).sort(([a], [b]) => a - b);
  spans.forEach(([from, to], index) => {
    expect(from <= to).toBe(true);
    expect(from).toBeGreaterThan(spans[index - 1]?.[2] ?? -1);
  });
  // None is lost; what is heard of when its event has ended may have been seen a little before that began.
  expect(positives.filter((at) => !spans.some(([from, to]) => at >= from - QUIET && at <= to))).toEqual([]);
}

describe('looks of one model', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('make the episodes that plain words make of them (%i)', (seed) => {
    const random = createRandom(seed);
    const of = 1 + random.next(5);
    const rule = {
      seen: 1 + random.next(of), of, quiet_looks: 1 + random.next(5), quiet_seconds: [0, 10, 30][random.next(3)] ?? 0,
      max_gap_seconds: [30, 300][random.next(2)] ?? 0, max_seconds: [30, 3600][random.next(2)] ?? 0,
    };
    const looks = looksOf(random, 300);
    const { seen, of: last, ...limits } = rule;
    const world = createWorld([{ name: 'all', min_frames: { seen, of: last }, ...limits }]);
    for (const { at, what } of looks) world.look(at, lookOf(what));
    const until = (looks.at(-1)?.at ?? 0) + LONG;
    world.until(until);
    expect(world.shown()).toEqual(episodesOf(looks, rule, until).map((episode) => ({ ...episode, name: 'dog', alert: true })));
    check(world, []);
  });
});

describe('looks of several models', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('lose nothing and repeat nothing in whatever order they come (%i)', (seed) => {
    const random = createRandom(1000 + seed);
    const world = createWorld();
    const models = ['m', 'n', 'o'].slice(0, 1 + random.next(3));
    const looks = looksOf(random, 200);
    const all = models.flatMap((model) => {
      let heard = 0;
      return looks.map(({ at, what }, sequence) => {
        // In order, each model by itself; up to a minute late.
        heard = Math.max(heard, at + random.next(random.chance(0.1) ? 60 : 4));
        return { model, at, sequence, heard, what: what === '+' && random.chance(0.3) ? '-' as const : what };
      });
    }).sort((a, b) => a.heard - b.heard);
    for (const { model, at, sequence, heard, what } of all) world.look(at, lookOf(what), { model, sequence, lag: heard - at });
    world.until((looks.at(-1)?.at ?? 0) + LONG);
    check(world, all.filter(({ what }) => what === '+').map(({ at }) => at));
  });
});

describe('a crash', () => {
  interface Frame extends PlainLook {
    readonly session: string;
    readonly sequence: number;
  }
  const SIZE = 5;

  /**
   * Looks in batches of five; a crash after any of them, when only so many of the entries are written as have to be. What was
   * asked of a batch that is not recorded is asked again, before what comes next or some looks later.
   */
  function live(seed: number, looks: readonly PlainLook[], isDue: (random: Random, look: number) => boolean, downSeconds: number): { readonly world: World; readonly positives: readonly number[] } {
    const random = createRandom(seed);
    const world = createWorld();
    let session = 0;
    let sequence = 0;
    let down = 0;
    let open: Frame[] = [];
    let again: Frame[] = [];
    let written = 0;
    const positives: number[] = [];
    let state: EventState | null = null;
    let kept: EventState | null = null;

    const ask = (frame: Frame, now: number, from: 'live' | 'recovered'): void => {
      world.look(frame.at, lookOf(frame.what), { session: frame.session, sequence: frame.sequence, from, lag: now - frame.at });
    };
    const askAgain = (now: number): void => {
      for (const frame of again) ask(frame, now, 'recovered');
      again = [];
      written = world.log.length;
    };

    looks.forEach(({ at: time, what }, index) => {
      const at = time + down;
      // They come late now and then; not later than the crash that brings more of them.
      if (again.length > 0 && random.chance(0.5)) askAgain(at);
      const frame: Frame = { at, what, session: `s${session}`, sequence };
      sequence += 1;
      open.push(frame);
      if (what === '+') positives.push(at);
      ask(frame, at, 'live');
      if (open.length === SIZE && again.length === 0) {
        written = world.log.length;
        open = [];
        // A state that is written knows only of what is in the log.
        if (random.chance(0.5)) kept = state;
        state = world.state();
      }
      if (!isDue(random, index)) return;
      world.crash(written + random.next(world.log.length - written + 1), random.chance(0.5) ? kept : null);
      again = [...again, ...open];
      written = Math.min(written, world.log.length);
      open = [];
      session += 1;
      sequence = 0;
      down += downSeconds;
    });
    askAgain((looks.at(-1)?.at ?? 0) + down + 3);
    world.until((looks.at(-1)?.at ?? 0) + down + LONG);
    return { world, positives };
  }

  it.each(Array.from({ length: 50 }, (_, seed) => seed))('at any moment of an episode, however often, leaves one event with one end (%i)', (seed) => {
    const looks = Array.from({ length: 70 }, (_, index): PlainLook => ({ at: 3 * index, what: index >= 10 && index < 40 ? '+' : '-' }));
    const { world } = live(seed, looks, (random) => random.chance(0.1), 2);
    expect(world.shown()).toMatchObject([{ name: 'dog', alert: true, ended_by: 'quiet' }]);
    expect(world.engine.open()).toEqual([]);
  });

  it.each(Array.from({ length: 50 }, (_, seed) => seed))('of a busy camera loses no episode and repeats none (%i)', (seed) => {
    const looks = looksOf(createRandom(seed), 200);
    const { world, positives } = live(seed, looks, (random) => random.chance(0.03), 5);
    check(world, positives);
    expect(world.engine.open()).toEqual([]);
    const plain = episodesOf(looks, { seen: 1, of: 1, quiet_looks: 3, quiet_seconds: 10, max_gap_seconds: 300, max_seconds: 3600 }, LONG * 2);
    expect(world.events().length).toBeLessThanOrEqual(plain.length + 1);
  });

  it.each<[string, Partial<GivenRule>]>([
    ['all alert', {}],
    ['some have to be seen more often', { min_frames: { seen: 2, of: 3 } }],
    ['some are within a cooldown', { cooldown_seconds: 40 }],
    ['some are beyond the limit of the day', { daily_limit: 1 }],
    ['some are stationary', { stationary: true }],
    ['some last too long', { max_seconds: 10 }],
  ])('at each boundary of entries, while all looks are repeated, changes nothing: %s', (_, given) => {
    const plan = '--++++-+----++--++------+++----';
    const looks = Array.from({ length: plan.length }, (_each, index): PlainLook => ({ at: 3 * index, what: plan[index] === '+' ? '+' : '-' }));
    const begin = (until: number): World => {
      const world = createWorld([{ name: 'all', ...given }]);
      for (const { at, what } of looks.slice(0, until)) world.look(at, lookOf(what));
      return world;
    };
    const whole = begin(looks.length);
    whole.until(LONG);
    for (let look = 0; look <= looks.length; look += 1) {
      for (let entries = begin(look).log.length; entries >= 0; entries -= 1) {
        const world = begin(look);
        world.crash(entries);
        for (const [sequence, { at, what }] of looks.slice(0, look).entries()) world.look(at, lookOf(what), { from: 'recovered', sequence, lag: 3 * look - at });
        for (const [index, { at, what }] of looks.slice(look).entries()) world.look(at, lookOf(what), { sequence: look + index });
        world.until(LONG);
        expect(world.shown(), `${look} looks, ${entries} entries`).toEqual(whole.shown());
        expect(world.summaries().map(({ when }) => when)).toEqual(whole.summaries().map(({ when }) => when));
        check(world, []);
      }
    }
  });
});

it('chance is the same every time', () => {
  const [a, b] = [createRandom(7), createRandom(7)];
  expect(Array.from({ length: 5 }, () => a.next(1000))).toEqual(Array.from({ length: 5 }, () => b.next(1000)));
  expect(secondsOf(null)).toBeNull();
});
