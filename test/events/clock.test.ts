import { describe, expect, it } from 'vitest';
import { createTimeline } from '../../src/events/timeline.ts';
import { createWorld, T0, timeOf, type World } from './world.ts';

const HOUR = 3600;

/** `set`: seconds by which the clock is set at the tenth look. */
function looks(world: World, set: number, models: readonly { readonly model: string; readonly lag?: number }[] = [{ model: 'm' }]): void {
  for (let look = 0; look < 30; look += 1) {
    for (const { model, lag = 0 } of models) {
      const frame = look - lag / 3;
      if (frame < 0) continue;
      const of = { model, sequence: frame };
      // The frame has the time of its capture, also when it is heard of after the clock was set.
      if (frame < 20) world.see(frame * 3, { ...of, lag, clock: frame < 10 ? 0 : set });
      else world.miss(frame * 3, { ...of, lag, clock: set });
    }
  }
}

describe('a clock that is set in the middle of an episode', () => {
  it.each([['back by an hour', -HOUR], ['back by some seconds', -7], ['forward by a day', 24 * HOUR], ['forward by an hour', HOUR], ['back by a year', -8760 * HOUR]])('%s makes no other one of it', (_, set) => {
    const world = createWorld();
    looks(world, set);
    expect(world.shown()).toMatchObject([{ began: 0, seen: 57 + set, ended: 69 + set, ended_by: 'quiet', frames: 20, alert: true }]);
  });

  it.each([-HOUR, 24 * HOUR])('does not either where models are behind (%i s)', (set) => {
    const world = createWorld();
    looks(world, set, [{ model: 'm' }, { model: 'n', lag: 6 }]);
    expect(world.shown()).toMatchObject([{ began: 0, ended_by: 'quiet', frames: 20 }]);
  });

  it.each([-HOUR, 24 * HOUR])('and Lookout starts anew: one ends, one begins, and nothing hangs (%i s)', (set) => {
    const world = createWorld();
    for (const at of [0, 3, 6]) world.see(at);
    world.crash();
    for (let at = 9; at < 60; at += 3) world.see(at, { session: 't', clock: set });
    for (let at = 60; at < 90; at += 3) world.miss(at, { session: 't', clock: set });
    world.until(1000, set);
    expect(world.shown()).toMatchObject([{ ended_by: 'not_looked', began: 0 }, { ended_by: 'quiet', frames: 17, ended: 69 + set }]);
    expect(world.engine.open()).toEqual([]);
  });
});

describe('what is seen at the time of an episode that has ended', () => {
  const over = (): World => {
    const world = createWorld();
    for (const at of [0, 3, 6]) world.see(at);
    for (const at of [9, 12, 15, 18]) world.miss(at);
    return world;
  };

  it('is another one when it was captured just now: the clock was set back', () => {
    const world = over();
    world.see(1000, { session: 't', clock: -997 });
    expect(world.shown()).toMatchObject([{ began: 0, frames: 3 }, { began: 3, frames: 1, alert: true }]);
    const anew = over();
    anew.crash();
    anew.see(100, { session: 't', clock: -97 });
    expect(anew.shown()).toMatchObject([{ began: 0 }, { began: 3, frames: 1, alert: true }]);
  });

  it('is of it when it was heard of late', () => {
    const world = over();
    world.see(3, { session: 't', lag: 100 });
    world.see(6, { session: 't', lag: 2000, from: 'kept' });
    world.crash();
    world.see(3, { session: 't', lag: 3000, from: 'recovered' });
    expect(world.shown()).toHaveLength(1);
  });
});

it('a camera that is gone for an hour in the middle of an event makes two of it', () => {
  const world = createWorld();
  for (const at of [0, 3, 6]) world.see(at);
  for (const at of [HOUR, HOUR + 3]) world.see(at);
  expect(world.shown()).toMatchObject([{ ended_by: 'not_looked', seen: 6, ended: 306 }, { began: HOUR, frames: 2 }]);
});

describe('a timeline', () => {
  const stream = { interval_seconds: 3, from: 'live' } as const;
  const frame = (sequence: number, seconds: number) => ({ key: String(sequence), captured_at: timeOf(seconds), sequence, width: 1, height: 1 });
  const moment = (monotonic: number, now = monotonic) => ({ now: T0 + 1000 * now, monotonic: 1000 * monotonic });

  it('takes capture times as they are while nobody sets the clock, also after hours without frames', () => {
    const timeline = createTimeline();
    for (const at of [0, 3, 6, 4 * HOUR]) expect(timeline.at(frame(at, at), stream, moment(at + 1))).toEqual({ time: T0 + 1000 * at, shift: 0 });
  });

  it('takes what is long on its way for no jump', () => {
    const timeline = createTimeline();
    expect(timeline.at(frame(0, 0), stream, moment(500)).shift).toBe(0);
    expect(timeline.at(frame(1, 499), stream, moment(500)).shift).toBe(0);
  });

  it('takes frames of an earlier run as they come', () => {
    const timeline = createTimeline();
    const recovered = { ...stream, from: 'recovered' } as const;
    expect(timeline.at(frame(0, 0), recovered, moment(20_000)).shift).toBe(0);
    expect(timeline.at(frame(1, 9000), recovered, moment(20_000)).shift).toBe(0);
    expect(timeline.at(frame(2, 19_999), stream, moment(20_000)).shift).toBe(0);
  });

  it('knows which frames were captured before the clock was set', () => {
    const timeline = createTimeline();
    timeline.at(frame(0, 0), stream, moment(0));
    timeline.at(frame(1, 3), stream, moment(3));
    expect(timeline.at(frame(2, 6 - HOUR), stream, moment(6, 6 - HOUR))).toEqual({ time: T0 + 6000, shift: 1000 * HOUR });
    expect(timeline.at(frame(1, 3), stream, moment(6, 6 - HOUR))).toEqual({ time: T0 + 3000, shift: 0 });
    expect(timeline.at(frame(3, 9 - HOUR), stream, moment(9, 9 - HOUR))).toEqual({ time: T0 + 9000, shift: 1000 * HOUR });
  });

  it('takes no jumps from pictures of a camera whose clock is ahead, however they come: without an interval, and some before others', () => {
    const timeline = createTimeline();
    const each = { ...stream, interval_seconds: 0 };
    for (let number = 1; number < 50; number += 1) {
      const captured = number % 10 === 0 ? number - 2 : number;
      expect(timeline.at(frame(number, 2 + captured / 10), each, moment(number / 10 + (number % 2) / 20)).shift).toBe(0);
    }
  });

  it('has what was captured before all jumps that it remembers near the first of those', () => {
    const timeline = createTimeline();
    const shifts = Array.from({ length: 40 }, (_, number) => timeline.at(frame(number, 7 * number), stream, moment(3 * number, 7 * number)).shift);
    expect(shifts.at(-1)).toBe(-39 * 4000);
    expect(timeline.at(frame(20, 140), stream, moment(117, 273)).shift).toBe(shifts[24]);
  });
});
