/** `events:` in lookout.yaml: rules of events, and where a mistake in them stands. */
import { describe, expect, it } from 'vitest';
import { ruleOf } from '../../src/words/event-rules.ts';
import { testFolder } from '../store/folder.ts';
import { written } from './lists.ts';

const folder = testFolder();
const { load, problems } = written(() => folder.path);

describe('rules of events', () => {
  it('are none by themselves', async () => {
    expect((await load('port: 0\n')).config).toMatchObject({ events: null, max_alert_age_seconds: 300, event_pictures_max_bytes: 5_000_000_000 });
  });

  it('say what they say, and the rest is as usual', async () => {
    const yaml = 'events:\n  - name: dogs-at-night\n    cameras: [gate]\n    classes: [dog]\n    confidence: 0.5\n    min_frames: {seen: 2, of: 3}\n    cooldown_seconds: 600\n    hours: "* 22-23,0-5 * * *"\n    daily_limit: 20\n    stationary: true\n  - {name: log, alert: false, hours: null}\n';
    const { config: { events } } = await load(yaml);
    expect(events).toEqual([
      { name: 'dogs-at-night', cameras: ['gate'], classes: ['dog'], confidence: 0.5, min_frames: { seen: 2, of: 3 }, cooldown_seconds: 600, hours: '* 22-23,0-5 * * *', daily_limit: 20, stationary: true },
      { name: 'log', alert: false, hours: null },
    ]);
    expect(events?.map(ruleOf)[1]).toMatchObject({ confidence: 0, min_frames: { seen: 1, of: 1 }, quiet_looks: 3, max_gap_seconds: 300, alert: false, daily_limit: null });
  });

  it('may be none at all: then nothing makes events', async () => {
    expect((await load('events: []\n')).config.events).toEqual([]);
  });

  it('name each mistake with its place', async () => {
    const yaml = [
      'events:', // 1
      '  - {name: Dogs}', // 2
      '  - {classes: [dog]}', // 3
      '  - {name: a, confidense: 1}', // 4
      '  - {name: b, confidence: 1.5, hours: "* * *"}', // 5
      '  - {name: c, min_frames: {seen: 2}}', // 6
      '  - {name: d, classes: []}', // 7
      '  - {name: e, daily_limit: 0, stationary: perhaps}', // 8
      '  - dogs', // 9
      '',
    ].join('\n');
    expect(await problems(yaml)).toEqual([
      'lookout.yaml:2:12: events[0].name: must have 1 to 64 characters: small letters, digits, - and _, the first of them no - or _',
      'lookout.yaml:3:5: events[1]: name is missing',
      'lookout.yaml:4:15: events[2].confidense: unknown setting; did you mean confidence?',
      'lookout.yaml:5:27: events[3].confidence: must be a number, 0 to 1, not 1.5',
      'lookout.yaml:5:39: events[3].hours: must be a cron expression of minutes, in five fields without seconds, such as "* 8-17 * * 1-5"',
      'lookout.yaml:6:27: events[4].min_frames: of is missing',
      'lookout.yaml:7:24: events[5].classes: must not be empty',
      'lookout.yaml:8:28: events[6].daily_limit: must be a whole number, 1 to 100000, not 0',
      expect.stringMatching(/^lookout\.yaml:8:43: events\[6\]\.stationary: must be .*, not "perhaps"$/),
      'lookout.yaml:9:5: events[7]: must be a mapping of keys to values, not "dogs"',
    ]);
  });

  it('are refused where they cannot stand together, or one never could begin', async () => {
    expect(await problems('events:\n  - {name: dogs}\n  - {name: dogs, classes: [dog]}\n')).toEqual(['lookout.yaml:2:3: events: two rules are named dogs']);
    expect(await problems('events:\n  - {name: dogs, min_frames: {seen: 3, of: 2}}\n')).toEqual(['lookout.yaml:2:3: events: min_frames of the rule dogs: seen is more than of']);
    expect(await problems('events:\n  - {name: dogs, clips: true, pre_roll_seconds: 20, clip_max_seconds: 22}\n')).toEqual(['lookout.yaml:2:3: events: clip_max_seconds of the rule dogs: shorter than pre_roll_seconds and post_roll_seconds together']);
  });

  it('take numbers, switches and lists from the environment', async () => {
    const yaml = 'events:\n  - {name: dogs, confidence: "${SURE}", alert: "${ALERT}", classes: "${CLASSES}", daily_limit: "${LIMIT}", min_frames: {seen: "${SEEN}", of: 3}}\n';
    const env = { SURE: '0.6', ALERT: 'no', CLASSES: 'dog, cat', LIMIT: 'null', SEEN: '2' };
    expect((await load(yaml, env)).config.events).toEqual([{ name: 'dogs', confidence: 0.6, alert: false, classes: ['dog', 'cat'], daily_limit: null, min_frames: { seen: 2, of: 3 } }]);
    expect(await problems(yaml, { ...env, SURE: 'very' })).toEqual(['lookout.yaml:2:30: events[0].confidence: must be a number, 0 to 1, not "very"']);
  });
});
