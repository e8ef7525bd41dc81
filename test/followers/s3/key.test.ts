/** Keys of objects: what templates may say, and what becomes of odd names. */
import { describe, expect, it } from 'vitest';
import { eventId, keyFault, keyOf } from '../../../src/followers/s3/key.ts';
import type { Item } from '../../../src/types.ts';
import { eventItem, recordItem } from '../../contracts/follower.ts';

const DEFAULT = '{log}/{camera}/{yyyy}/{mm}/{dd}/{id}.json';
const ALL = '{log}/{camera}/{class}/{rule}/{yyyy}-{mm}-{dd}/{hh}/{id}.json';

describe('a template', () => {
  it.each([DEFAULT, ALL, '{id}.json', 'site-1/{yyyy}{mm}{dd}T{hh}_{id}.json', '{id}/record.json'])('%s is good', (template) => {
    expect(keyFault(template)).toBeNull();
  });

  it.each([
    ['{log}/{when}/{id}.json', /placeholder \{when\}; there are \{log\}/],
    ['{log}/{ID}.json', /placeholder \{ID\}/],
    ['{log}/{}{id}.json', /placeholder \{\}/],
    ['{log}/{camera.json', /brace/],
    ['{log}/{camera}.json', /needs \{id\}/],
    ['{log}/{id}', /end in \.json/],
    ['/{id}.json', /slash/],
    ['a//{id}.json', /slash/],
    ['../{id}.json', /dots alone/],
    ['a b/{id}.json', /letters, digits/],
    ['a%2Fb/{id}.json', /letters, digits/],
    [`${'{camera}/'.repeat(5)}{id}.json`, /may come to \d+ bytes/],
    [`${'a'.repeat(190)}/`.repeat(5).concat('{id}.json'), /may come to \d+ bytes/],
  ])('%s is refused', (template, words) => {
    expect(keyFault(template)).toMatch(words);
  });
});

describe('a key', () => {
  it('is made of what the item says, in UTC', () => {
    const event = eventItem(1, { began_at: '2026-03-01T00:30:00.000+02:00', rule: 'at night' });
    expect(keyOf(ALL, event)).toBe(`events/gate/dog/at%20night/2026-02-28/22/${eventId(event)}`);
    expect(keyOf(DEFAULT, recordItem(1))).toBe(`records/gate/2026/01/01/${recordItem(1).id}`);
  });

  it('has no class and no rule for a record', () => {
    expect(keyOf('{class}/{rule}/{id}.json', recordItem(1))).toBe(`_/_/${recordItem(1).id}`);
  });

  it.each([[null], ['yesterday']])('is undated where the time is %s', (time) => {
    const item: Item = { ...recordItem(1), id: 'x', time };
    expect(keyOf(DEFAULT, item)).toBe('records/gate/undated/x');
    expect(keyOf('{yyyy}-{mm}-{dd}T{hh}/{id}.json', item)).toBe('undatedTundated/x');
    expect(keyOf('{id}.json', item)).toBe('x');
  });

  it('is that of the event, not of its entry', () => {
    const keys = [eventItem(1), eventItem(1, { sequence: 1, at: '2027-01-01T00:00:00Z', state: 'ended' })].map((item) => keyOf(ALL, item));
    expect(new Set(keys).size).toBe(1);
  });

  it.each(['a/b', 'a#b+c', 'line\nbreak', 'ünï çødé 🐕', "'; DROP TABLE records; --", '100%', 'a%2Fb', '{id}', ' ', '~', '\0', '..', '.', '.hidden', 'a..b'])('holds %j so that it can be read back', (name) => {
    const [, part = '', ...more] = keyOf('x/{class}/{id}.json', eventItem(1, { class: name })).split('/');
    expect(more).toHaveLength(1);
    expect(part).toMatch(/^[A-Za-z0-9._%-]+$/);
    expect(part).not.toMatch(/^\.+$/);
    expect(decodeURIComponent(part)).toBe(name);
  });

  it('has no more than 1,024 bytes, whatever is in it, and remains one of its own', () => {
    const long = '🐕/'.repeat(5000);
    const item = (more: string): Item => ({ ...eventItem(1, { class: long + more, rule: long, camera_id: long }), camera_id: long });
    const [one, other] = [keyOf(ALL, item('a')), keyOf(ALL, item('b'))];
    expect(`${one}/999.json`.length).toBeLessThanOrEqual(1024);
    expect(one.split('/').every((part) => part.length <= 200 && !/%.?$|%[^0-9A-F]/.test(part.replace(/~.*/, '')))).toBe(true);
    expect(one).not.toBe(other);
    const record = { ...recordItem(1), id: 'r'.repeat(10_000) };
    expect(keyOf(DEFAULT, record)).toMatch(/\/r{178}~[0-9a-f]{16}$/);
  });

  it('does not confuse a long name with one that looks like its short form', () => {
    const long = { ...recordItem(1), id: 'r'.repeat(300) };
    const short = keyOf('{id}.json', long);
    expect(keyOf('{id}.json', { ...recordItem(1), id: short })).not.toBe(short);
  });
});
