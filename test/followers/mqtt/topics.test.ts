/** Levels of topics: each name has its own, which no broker takes for anything else, and which can be turned back. */
import { describe, expect, it } from 'vitest';
import { createTopics, level, propertyText, slug } from '../../../src/followers/mqtt/topics.ts';

const ODD = ['a/b', 'a#b', 'a+b', '+', '#', '$SYS', 'a$', '%', '%2F', 'a\0b', 'line\nbreak', 'tab\t', '\u{85}', 'ünï çødé 🐕', ' ', '.', '..', '￾', '﷐'];

describe('a level', () => {
  it.each(ODD)('of %j holds nothing that means something, and can be turned back', (name) => {
    expect(level(name)).not.toMatch(/[#+/\p{Cc}\p{Noncharacter_Code_Point}]|^\$|^$/u);
    expect(decodeURIComponent(level(name))).toBe(name);
  });

  it('leaves names alone that brokers take', () => {
    expect(['gate', 'Ünï', 'a b', 'a$', '🐕'].map(level)).toEqual(['gate', 'Ünï', 'a b', 'a$', '🐕']);
  });

  it('is another one for each name', () => {
    const names = [...ODD, '', 'a%2Fb', '%25', '\ud83d', '\ude00', '\ufffd', 'x'.repeat(10_000), `${'x'.repeat(9_999)}y`, '#'.repeat(10_000), '\ud83d'.repeat(10_000), '\ude00'.repeat(10_000)];
    expect(new Set(names.map(level)).size).toBe(names.length);
  });

  it.each(['x'.repeat(10_000), '#'.repeat(10_000), '🐕'.repeat(10_000), 'é'.repeat(10_000), '\ud83d'.repeat(10_000)])('is no longer than 200 bytes', (name) => {
    expect(Buffer.byteLength(level(name))).toBeLessThanOrEqual(200);
    expect(level(name)).toMatch(/^(?:[^%]|%[0-9A-F]{2})+~[0-9a-f]{16}$/u);
  });
});

describe('topics', () => {
  const topics = createTopics('site/lookout');

  it('keep classes apart from what else a camera has', () => {
    expect(topics.running('gate', 'state')).not.toBe(topics.state('gate'));
    expect(topics.snapshot('gate', 'enabled')).not.toMatch(/\/enabled\//);
    expect(decodeURIComponent(topics.running('gate', 'state'))).toBe('site/lookout/gate/state');
  });

  it('stay whole with odd cameras and classes', () => {
    expect(topics.snapshot('a/b', 'c+d')).toBe('site/lookout/a%2Fb/c%2Bd/snapshot');
    expect(topics.setEnabled('#')).toBe('site/lookout/%23/enabled/set');
  });
});

it('names in Home Assistant\'s topics are letters, digits, _ and -, and differ', () => {
  const names = [...ODD, '', 'a_b', 'a-b', 'A', 'x'.repeat(10_000), 'x'.repeat(9_999)];
  for (const name of names) expect(slug(name)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  expect(new Set(names.map(slug)).size).toBe(names.length);
});

it('ids stay as they are in a property, but for what no property holds', () => {
  expect(propertyText('g%C3%A4te_0123-20260101/0')).toBe('g%C3%A4te_0123-20260101/0');
  expect(propertyText('a\0b\ud83d')).toBe('a%00b%ED%A0%BD');
  expect(Buffer.byteLength(propertyText('x'.repeat(100_000)))).toBeLessThan(1000);
});
