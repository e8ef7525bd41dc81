import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { FORMATS } from '../../src/config/formats.ts';
import { EVENT_RULE, isRuleName, keptSeconds, ruleOf, rulesFault, rulesOf } from '../../src/words/event-rules.ts';

const ajv = new Ajv2020({ allowUnionTypes: true });
for (const [name, { validate }] of Object.entries(FORMATS)) ajv.addFormat(name, validate);
const isRule = ajv.compile(EVENT_RULE);

describe('a rule of events', () => {
  it('has a name, and what it does not say is as usual', () => {
    expect(isRule({ name: 'dogs' })).toBe(true);
    expect(ruleOf({ name: 'dogs', classes: ['dog'], hours: undefined })).toEqual({
      name: 'dogs', cameras: null, models: null, sections: null, classes: ['dog'], confidence: 0, min_frames: { seen: 1, of: 1 },
      quiet_looks: 3, quiet_seconds: null, max_gap_seconds: 300, max_seconds: 3600, alert: true, cooldown_seconds: 0, hours: null, daily_limit: null, stationary: false,
      clips: false, pre_roll_seconds: 5, post_roll_seconds: 5, clip_max_seconds: 120,
    });
  });

  it('is of the same words as the schema, and complete ones are good', () => {
    const [usual] = rulesOf(null);
    expect(Object.keys(EVENT_RULE.properties).sort()).toEqual(Object.keys(usual ?? {}).sort());
    expect(isRule(usual)).toBe(true);
  });

  it.each([
    {}, { name: 'Dogs' }, { name: '' }, { name: 'a/b' }, { name: 'x', classes: [] }, { name: 'x', classes: 'dog' }, { name: 'x', confidence: 1.1 }, { name: 'x', min_frames: 2 },
    { name: 'x', min_frames: { seen: 0, of: 3 } }, { name: 'x', hours: 'at night' }, { name: 'x', hours: '* * * * * *' }, { name: 'x', daily_limit: 0 }, { name: 'x', cooldown: 3 },
    { name: 'x', cooldown_seconds: -1 }, { name: 'x', quiet_looks: 101 }, { name: 'x', max_seconds: null },
  ])('is not %j', (value) => {
    expect(isRule(value)).toBe(false);
  });

  it('stands with others of other names, and can begin', () => {
    expect(rulesFault([{ name: 'a' }, { name: 'b', min_frames: { seen: 2, of: 2 } }])).toBeNull();
    expect(rulesFault([{ name: 'a' }, { name: 'b' }, { name: 'a' }])).toBe('two rules are named a');
    expect(rulesFault([{ name: 'a', min_frames: { seen: 3, of: 2 } }])).toBe('min_frames of the rule a: seen is more than of');
  });

  it('has what its clips begin with kept as long as it takes to begin, also where pictures have no interval', () => {
    const rules = [ruleOf({ name: 'seldom', clips: true, min_frames: { seen: 2, of: 21 } })];
    const kept = (interval_seconds: number): number | null => keptSeconds(rules, 'gate', { clips: false, interval_seconds });
    expect([3, 2, 0].map(kept)).toEqual([75, 55, 35]);
  });

  it('has a name that addresses can carry', () => {
    expect(['oil', 'at-night_2', 'a'.repeat(64)].every(isRuleName)).toBe(true);
    expect(['-a', 'a b', 'ä', 'a'.repeat(65)].some(isRuleName)).toBe(false);
  });
});
