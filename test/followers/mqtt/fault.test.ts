/** Settings that no schema finds wrong. */
import { expect, it } from 'vitest';
import { fault, target } from '../../../src/followers/mqtt.ts';
import type { MqttSettings } from '../../../src/followers/mqtt/settings.ts';
import { settingsFor } from './settings.ts';

const good = settingsFor(1883);

it('finds nothing wrong with what is right', () => {
  for (const more of [{}, { url: 'mqtts://broker.example' }, { url: 'mqtt://[::1]:1884/' }, { prefix: 'site 7/lookout' }, { home_assistant: null }]) expect(fault({ ...good, ...more })).toBeNull();
});

it.each<[Partial<MqttSettings>, RegExp]>([
  [{ url: 'http://broker.example' }, /^url must be an address such as/],
  [{ url: 'broker.example' }, /^url must be an address/],
  [{ url: 'mqtt://' }, /^url must be/],
  [{ url: 'mqtt://me:geheim@broker.example' }, /settings of their own, username and password/],
  [{ url: 'mqtt://broker.example/path' }, /nothing after it/],
  [{ url: 'mqtt://broker.example?clientId=x' }, /nothing after it/],
  [{ ca: '/etc/ca.pem' }, /^ca is for mqtts/],
  [{ prefix: 'a/#' }, /^prefix must have no #/],
  [{ prefix: 'a\0' }, /^prefix must have no #/],
  [{ prefix: '/a' }, /^prefix must be a text that begins/],
  [{ prefix: 'a/' }, /^prefix must be a text that begins/],
  [{ prefix: '$SYS' }, /^prefix must be a text that begins/],
  [{ prefix: 'x'.repeat(201) }, /^prefix must have no more than 200 bytes/],
  [{ home_assistant: '+' }, /^home_assistant must have no #/],
])('says what is wrong with %j', (more, words) => {
  expect(fault({ ...good, ...more })).toMatch(words);
  expect(fault({ ...good, ...more })).not.toContain('geheim');
});

it('tells targets apart by place and prefix, with the usual ports', () => {
  expect(target({ ...good, url: 'mqtts://broker.example' })).toBe('mqtts://broker.example:8883 lookout/#');
  expect(target({ ...good, url: 'mqtt://[::1]', prefix: 'b' })).toBe('mqtt://[::1]:1883 b/#');
});
