import { describe, expect, it } from 'vitest';
import type { EventRule } from '../../src/types.ts';
import { ruleOf, type GivenRule } from '../../src/words/event-rules.ts';
import { answered, createWorld, detection, FAILED, secondsOf, SKIPPED, timeOf } from './world.ts';

/** From one second to another, every three: `+` it is seen, `-` it is not, `e` a failure, `s` not asked, blank no frame. */
function play(world: ReturnType<typeof createWorld>, looks: string, start = 0, of: Parameters<typeof world.see>[1] = {}): void {
  for (let index = 0; index < looks.length; index += 1) {
    const what = looks[index];
    const at = start + index * (of.interval ?? 3);
    if (what === '+') world.see(at, of);
    if (what === '-') world.miss(at, of);
    if (what === 'e') world.look(at, FAILED, of);
    if (what === 's') world.look(at, SKIPPED, of);
  }
}

describe('an episode', () => {
  it('begins with the look that sees it, and alerts', () => {
    const world = createWorld();
    const { items } = world.see(6, { lag: 1 });
    expect(items).toEqual([{
      kind: 'event', id: 'id-0', sequence: 0, state: 'begun', at: timeOf(7), camera_id: 'a', place: { latitude: 1, longitude: 2 }, rule: 'all', section: 'animals',
      class: 'dog', models: ['m'], alert: true, alerts_now: true, suppressed: null, began_at: timeOf(6), last_seen_at: timeOf(6), ended_at: null, ended_by: null, frames: 1,
      best: { captured_at: timeOf(6), confidence: 0.9, box: [10, 10, 30, 30], width: 100, height: 100, picture: null }, clip: null, batches: null,
    }]);
  });

  it('ends once three looks and ten seconds found nothing, and names its batches', () => {
    const world = createWorld();
    play(world, '++---');
    expect(world.shown()).toMatchObject([{ ended: null }]);
    world.miss(15);
    expect(world.entries().at(-1)).toMatchObject({ state: 'ended', ended_by: 'quiet', ended_at: timeOf(15), last_seen_at: timeOf(3), frames: 2, sequence: 2 });
    expect(world.entries().at(-1)?.batches).toEqual([`batch-of-s/${timeOf(0)}`, `batch-of-s/${timeOf(3)}`]);
  });

  it('goes on when it is seen before that', () => {
    const world = createWorld();
    play(world, '+---+--+----');
    expect(world.shown()).toEqual([{ name: 'dog', ended_by: 'quiet', began: 0, seen: 21, ended: 33, frames: 3, alert: true }]);
  });

  it('is quiet for three intervals where those are long', () => {
    const world = createWorld();
    play(world, '+--', 0, { interval: 30 });
    expect(world.shown()).toMatchObject([{ ended_by: 'begun' }]);
    world.miss(90, { interval: 30 });
    expect(world.shown()).toMatchObject([{ ended_by: 'quiet', ended: 90 }]);
  });

  it.each([['errors', 'e'], ['looks that were skipped', 's'], ['gaps', ' ']])('is neither prolonged nor ended by %s', (_, what) => {
    const world = createWorld();
    play(world, `+${what.repeat(20)}--`);
    expect(world.shown()).toMatchObject([{ ended_by: 'begun' }]);
    play(world, `${what.repeat(3)}-`, 69);
    expect(world.shown()).toMatchObject([{ ended_by: 'quiet', ended: 78, seen: 0 }]);
  });

  it('ends as not looked at when there was no look for long, and another one begins', () => {
    const world = createWorld();
    play(world, '+-');
    world.until(302);
    expect(world.shown()).toMatchObject([{ ended_by: 'begun' }]);
    world.until(400);
    expect(world.shown()).toMatchObject([{ ended_by: 'not_looked', ended: 303, seen: 0 }]);
    world.see(3600);
    expect(world.shown()).toMatchObject([{ ended_by: 'not_looked' }, { ended_by: 'begun', began: 3600 }]);
  });

  it('does so by capture times too, however late its models are', () => {
    const world = createWorld();
    world.see(0, { lag: 1000 });
    world.see(299, { lag: 702 });
    expect(world.shown()).toMatchObject([{ ended_by: 'begun', frames: 2 }]);
    world.look(650, SKIPPED, { lag: 352 });
    expect(world.shown()).toMatchObject([{ ended_by: 'not_looked', ended: 599 }]);
  });

  it('outlasts gaps that a stream with long intervals always has', () => {
    const world = createWorld();
    play(world, '+-+---', 0, { interval: 600 });
    expect(world.shown()).toMatchObject([{ ended_by: 'quiet', began: 0, frames: 2, ended: 3000 }]);
  });

  it('outlasts the time in which a batch is filled, also where each picture that a camera brings is looked at', () => {
    const world = createWorld([{ name: 'all', max_gap_seconds: 5 }]);
    for (const batch of [0, 10]) for (let at = 0; at < 10; at += 1) world.see(batch + at, { interval: 0, lag: 10 - at });
    expect(world.shown()).toMatchObject([{ frames: 20, ended_by: 'going_on' }]);
  });

  it('is told at most every ten seconds, when something changed', () => {
    const world = createWorld();
    play(world, '+'.repeat(11));
    expect(world.entries().map(({ state, sequence, at, frames }) => [state, sequence, secondsOf(at), frames])).toEqual([
      ['begun', 0, 0, 1], ['going_on', 1, 10, 4], ['going_on', 2, 20, 7], ['going_on', 3, 30, 10],
    ]);
    world.until(100);
    expect(world.entries().slice(4)).toMatchObject([{ at: timeOf(40), frames: 11 }]);
  });

  it('goes on as another one when it lasts longer than an episode may', () => {
    const world = createWorld([{ name: 'all', max_seconds: 60 }]);
    play(world, '+'.repeat(30));
    expect(world.shown()).toMatchObject([{ ended_by: 'max_seconds', began: 0, seen: 57, ended: 57, frames: 20 }, { ended_by: 'going_on', began: 60, frames: 10 }]);
  });

  it('is interrupted when its stream is stopped, and looks that come then are of it', () => {
    const world = createWorld();
    play(world, '++');
    world.until(8);
    world.take(world.engine.stopped('a', world.moment));
    world.see(6, { lag: 4 });
    expect(world.shown()).toMatchObject([{ ended_by: 'interrupted', seen: 3, ended: 3 }]);
    world.see(12);
    expect(world.shown()).toHaveLength(2);
  });

  it('is one for each camera, section and class, and rule', () => {
    const world = createWorld([{ name: 'all' }, { name: 'dogs', classes: ['dog'], confidence: 0.5 }]);
    world.look(0, answered(detection('dog'), detection('cat'), detection('dog', 0.95)));
    world.see(0, { camera: 'b', session: 't' });
    world.see(1, { session: 's', model: 'n', section: 'pets' });
    world.see(3, { confidence: 0.4 });
    expect(world.events().map((event) => [event.camera_id, event.rule, event.section, event.class, event.frames, event.best.confidence])).toEqual([
      ['a', 'all', 'animals', 'dog', 2, 0.95], ['a', 'all', 'animals', 'cat', 1, 0.9], ['a', 'dogs', 'animals', 'dog', 1, 0.95],
      ['b', 'all', 'animals', 'dog', 1, 0.9], ['b', 'dogs', 'animals', 'dog', 1, 0.9],
      ['a', 'all', 'pets', 'dog', 1, 0.9], ['a', 'dogs', 'pets', 'dog', 1, 0.9],
    ]);
  });

  it('says at once which frame shows it best', () => {
    const world = createWorld();
    for (const [at, confidence] of [[0, 0.5], [3, 0.7], [6, 0.6], [9, 0.7]] as const) world.see(at, { confidence });
    expect(world.best.map(({ event, frame, facts }) => [event, frame.captured_at, facts.captured_at])).toEqual([['id-0', timeOf(0), timeOf(0)], ['id-0', timeOf(3), timeOf(3)]]);
    world.until(30);
    expect(world.entries().at(-1)?.best).toMatchObject({ confidence: 0.7, captured_at: timeOf(3) });
  });

  it('has no box where a model names the whole frame', () => {
    const world = createWorld();
    world.look(0, answered({ class: 'fog', confidence: 1 }));
    expect(world.events()[0]?.best.box).toBeNull();
  });
});

describe('looks that are heard of', () => {
  it('again count once', () => {
    const world = createWorld([{ name: 'all', quiet_seconds: 0, min_frames: { seen: 2, of: 5 } }]);
    for (let times = 0; times < 4; times += 1) world.see(0, { sequence: 0 });
    expect(world.shown()).toEqual([]);
    world.see(3, { sequence: 1 });
    for (let times = 0; times < 4; times += 1) world.miss(6, { sequence: 2 });
    expect(world.shown()).toMatchObject([{ ended_by: 'begun', frames: 2 }]);
  });

  it('after a gap are told after the end of what was before it', () => {
    const world = createWorld();
    world.see(0);
    world.see(301);
    expect(world.log.map((item) => (item.kind === 'event' ? item.state : ''))).toEqual(['begun', 'ended', 'begun']);
  });

  it('late, of before an episode that has ended, are one of their own that does not go on beyond it', () => {
    const world = createWorld();
    play(world, '++----', 33);
    world.see(15, { model: 'n', lag: 45 });
    world.see(63);
    expect(world.shown()).toMatchObject([{ began: 33, seen: 36, ended: 48 }, { began: 15, seen: 15 }, { began: 63 }]);
    world.see(12, { model: 'n', lag: 55 });
    world.see(30, { model: 'n', lag: 40 });
    expect(world.shown()).toMatchObject([{ began: 33, frames: 2 }, { began: 12, seen: 15, frames: 2 }, { began: 63, frames: 1 }]);
  });
});

describe('a rule', () => {
  it('counts sections of complaint alone unless it names others', () => {
    const world = createWorld([{ name: 'all' }, { name: 'by-section', sections: ['motion'] }, { name: 'by-model', models: ['m'] }, { name: 'elsewhere', cameras: ['b'] }]);
    world.see(0, { section: 'motion', complains: false });
    expect(world.events().map(({ rule }) => rule)).toEqual(['by-section', 'by-model']);
  });

  it('may ask for several frames of the last ones, and those count', () => {
    const world = createWorld([{ name: 'all', min_frames: { seen: 3, of: 5 } }]);
    play(world, '+-+--+-+');
    expect(world.shown()).toEqual([]);
    world.see(24, { confidence: 0.8 });
    expect(world.shown()).toMatchObject([{ began: 15, seen: 24, frames: 3 }]);
    expect(world.best.map(({ frame }) => frame.captured_at)).toEqual([timeOf(15)]);
    play(world, '----++', 27);
    expect(world.shown()).toMatchObject([{ ended_by: 'quiet', ended: 36 }]);
  });

  it('counts what a model looked at, not what it was not asked about', () => {
    const world = createWorld([{ name: 'all', min_frames: { seen: 2, of: 2 } }]);
    play(world, '+ses  s+');
    expect(world.shown()).toMatchObject([{ began: 0, frames: 2 }]);
  });

  it('that is gone interrupts its episodes; the others go on', () => {
    const world = createWorld([{ name: 'one' }, { name: 'two' }]);
    world.see(0);
    world.take(world.engine.setRules([ruleOf({ name: 'two', quiet_looks: 1, quiet_seconds: 1 })], world.moment));
    world.see(3);
    world.miss(6);
    expect(world.events().map(({ rule, ended_by, frames }) => [rule, ended_by, frames])).toEqual([['one', 'interrupted', 1], ['two', 'quiet', 2]]);
  });
});

describe('rules that are changed', () => {
  const rules = (...given: readonly GivenRule[]): readonly EventRule[] => given.map(ruleOf);

  it('end nothing that goes on, and say from then on whether it alerts and how surely it must be seen', () => {
    const world = createWorld([{ name: 'all', alert: false }]);
    play(world, '++');
    expect(world.take(world.engine.setRules(rules({ name: 'all', cooldown_seconds: 60, hours: '* * * * *' }), world.moment)).items).toEqual([]);
    play(world, '+', 6);
    world.take(world.engine.setRules(rules({ name: 'all', confidence: 0.95 }), world.moment));
    play(world, '++++', 9);
    expect(world.shown()).toMatchObject([{ began: 0, seen: 6, frames: 3, ended_by: 'quiet', alert: true }]);
  });

  it.each<[string, Omit<GivenRule, 'name'>, Omit<GivenRule, 'name'>]>([
    ['camera', {}, { cameras: ['b'] }], ['model', {}, { models: ['other'] }], ['section', {}, { sections: ['potholes'] }], ['class', {}, { classes: ['cow'] }],
    ['section, which only counted while it was named', { sections: ['motion'] }, { sections: null }], ['model, which only counted while it was named', { models: ['m'] }, { models: null }],
  ])('interrupt at once what they cover no more, for its %s, also at the next start, and nothing else', (_what, before, after) => {
    const looks = { section: before.sections || before.models ? 'motion' : 'animals', complains: !before.sections && !before.models };
    const cases = (['setRules', 'restore'] as const).map((how) => {
      const given: GivenRule[] = [{ name: 'narrowed', ...before }, { name: 'other', ...before }];
      const world = createWorld(given);
      world.see(0, looks);
      world.see(3, looks);
      given[0] = { name: 'narrowed', ...after };
      if (how === 'setRules') world.take(world.engine.setRules(rules(...given), world.moment));
      else world.crash(undefined, world.state());
      // By rules as they are from then on.
      if (how === 'restore') world.until(4);
      return world;
    });
    for (const world of cases) expect(world.events().map(({ rule, ended_by, ended_at }) => [rule, ended_by, secondsOf(ended_at)])).toEqual([['narrowed', 'interrupted', 3], ['other', null, null]]);
  });

  it('go on with what one of its models still counts for', () => {
    const world = createWorld([{ name: 'all' }]);
    world.see(0, { model: 'one' });
    world.see(1, { model: 'two' });
    world.take(world.engine.setRules(rules({ name: 'all', models: ['two'], cameras: ['a'], sections: ['animals'], classes: ['dog'] }), world.moment));
    world.see(4, { model: 'two' });
    expect(world.shown()).toMatchObject([{ ended_by: 'begun', frames: 3 }]);
  });

  it('say when it ends, of what is not seen any more too', () => {
    const world = createWorld([{ name: 'all', quiet_seconds: 3600 }]);
    play(world, '+----');
    world.take(world.engine.setRules(rules({ name: 'all', quiet_seconds: 10 }), world.moment));
    play(world, '-', 15);
    expect(world.shown()).toMatchObject([{ began: 0, seen: 0, ended_by: 'quiet' }]);
  });

  it('forget neither which frames were looked at, nor what is about to begin by those that stay', () => {
    const slow = ruleOf({ name: 'slow', min_frames: { seen: 2, of: 3 } });
    const fast = ruleOf({ name: 'fast' });
    const world = createWorld([]);
    world.take(world.engine.setRules([slow, fast], world.moment));
    world.see(0, { sequence: 0 });
    world.take(world.engine.setRules([slow, { ...fast, confidence: 0.1 }], world.moment));
    world.see(0, { sequence: 0, lag: 1 });
    expect(world.shown()).toMatchObject([{ frames: 1 }]);
    world.see(3, { sequence: 1 });
    expect(world.events().map(({ rule, frames }) => [rule, frames])).toEqual([['fast', 2], ['slow', 2]]);
  });
});

describe('several models of a section', () => {
  it('see the same episode, and a frame once', () => {
    const world = createWorld();
    for (const at of [0, 3, 6]) for (const model of ['m', 'n']) world.see(at, { model });
    expect(world.shown()).toMatchObject([{ frames: 3 }]);
    for (const at of [9, 12, 15, 18]) for (const model of ['m', 'n']) world.miss(at, { model });
    expect(world.events()[0]).toMatchObject({ models: ['m', 'n'], ended_by: 'quiet' });
  });

  it('do not end what they have never seen', () => {
    const world = createWorld();
    world.see(0, { model: 'm' });
    for (let at = 0; at < 100; at += 3) world.miss(at, { model: 'blind' });
    expect(world.shown()).toMatchObject([{ ended_by: 'begun' }]);
    for (const at of [100, 103, 106]) world.miss(at, { model: 'm' });
    expect(world.shown()).toMatchObject([{ ended_by: 'quiet' }]);
  });

  it('are waited for while one is behind: what it sees late is no other episode', () => {
    const world = createWorld();
    for (let at = 0; at <= 60; at += 3) {
      if (at === 12) world.see(at);
      else world.miss(at);
      // The slow one is four looks behind.
      const late = at - 12;
      if (late === 15 || late === 18) world.see(late, { model: 'slow', lag: 12 });
      else if (late >= 0) world.miss(late, { model: 'slow', lag: 12 });
    }
    expect(world.shown()).toEqual([{ name: 'dog', ended_by: 'quiet', began: 12, seen: 18, ended: 30, frames: 3, alert: true }]);
  });

  it('are not waited for when they say nothing for some seconds', () => {
    const world = createWorld();
    world.see(0, { model: 'dead' });
    for (let at = 0; at <= 9; at += 3) world.see(at);
    for (let at = 12; at <= 21; at += 3) world.miss(at);
    expect(world.shown()).toMatchObject([{ ended_by: 'quiet', ended: 21 }]);
  });

  it('make one episode where the slower saw it first', () => {
    const world = createWorld();
    world.see(10);
    world.see(7, { model: 'slow', lag: 4 });
    expect(world.shown()).toMatchObject([{ began: 7, seen: 10, frames: 2 }]);
  });
});

describe('too much', () => {
  it('cuts names of classes without mixing them up', () => {
    const world = createWorld();
    const long = 'x'.repeat(10_000);
    world.look(0, answered(detection(`${long}a`), detection(`${long}b`), detection('# + /\n\u0000')));
    const names = world.events().map((event) => event.class);
    expect(new Set(names).size).toBe(3);
    expect(names.map((name) => name.length)).toEqual([256, 256, 7]);
    world.crash();
    world.look(3, answered(detection(`${long}a`), detection(`${long}b`)));
    expect(world.events().map(({ frames }) => frames)).toEqual([2, 2, 1]);
  });

  it('of classes makes so many episodes at a time and counts the others', () => {
    const said: string[] = [];
    const world = createWorld([{ name: 'all' }], { log: { repeated: (_level, what) => { said.push(what); } } });
    const many = answered(...Array.from({ length: 10_000 }, (_, index) => detection(`class ${index}`)));
    world.look(0, many);
    world.look(3, many);
    expect([world.events().length, world.engine.tooMany]).toEqual([200, 2 * 9800]);
    expect(said[0]).toContain('more than 200 classes');
    for (const at of [6, 9, 12, 15]) world.miss(at);
    expect(world.events().every(({ ended_by }) => ended_by === 'quiet')).toBe(true);
    world.see(18);
    expect(world.events()).toHaveLength(201);
  });

  it('of classes is bounded too while they have not been seen often enough', () => {
    const world = createWorld([{ name: 'all', min_frames: { seen: 2, of: 3 } }]);
    for (let look = 0; look < 20; look += 1) world.look(look * 3, answered(...Array.from({ length: 100 }, (_, index) => detection(`class ${look * 100 + index}`))));
    expect(world.events()).toHaveLength(0);
    expect(world.engine.tooMany).toBeGreaterThan(0);
    world.miss(60);
    world.miss(63);
    world.see(66);
    world.see(69);
    expect(world.events()).toHaveLength(1);
  });

  it('of frames, of which most are skipped, is no storm', () => {
    const world = createWorld();
    // One frame in ten is looked at.
    for (let at = 0; at < 600; at += 3) world.look(at, at % 30 === 0 ? answered(detection('dog')) : SKIPPED);
    expect(world.shown()).toMatchObject([{ began: 0, seen: 570, frames: 20, ended_by: 'going_on' }]);
  });

  it('of cameras that come and go leaves nothing behind', () => {
    const world = createWorld();
    for (let camera = 0; camera < 50; camera += 1) {
      world.see(camera, { camera: `c${camera}`, session: `s${camera}` });
      world.take(world.engine.removed(`c${camera}`, world.moment));
    }
    world.until(4 * 3600);
    world.until(4 * 3600 + 61);
    expect(world.state().cameras).toEqual({});
  });
});
