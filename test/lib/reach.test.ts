import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { boundsOf, isHostOrNetwork, reach, refuseAtOnce, type Bounds } from '../../src/lib/reach.ts';
import { placeOf } from '../../src/words/stream-place.ts';

const never = new AbortController().signal;
const SETTINGS = { host: '127.0.0.1', port: 5000, runner_user: null, token: null, allowed_hosts: [], allow_hosts: [] };
const INSIDE = boundsOf(SETTINGS);
const OUTSIDE: Bounds = { ...INSIDE, fromElsewhere: true };

/** null: it may be opened. */
async function why(url: string, bounds: Bounds): Promise<string | null> {
  const place = placeOf(url);
  if (!place) throw new Error(`${url} leads nowhere`);
  return reach(place, bounds, never).then(() => null, (error: unknown) => (error as { readonly code: string }).code);
}

const METADATA = [
  '169.254.169.254', '169.254.1.1', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]', '[64:ff9b::a9fe:a9fe]',
  '[2002:a9fe:a9fe::1]', '[::a9fe:a9fe]', '[fd00:ec2::254]', '[FD00:0EC2:0:0:0:0:0:254]', '[fe80::1]', '100.100.100.200', '169.254.169.254.', 'metadata.google.internal', 'METADATA.google.internal.',
];
const LOOPBACK = ['127.0.0.1', '127.1', '127.8.9.1', '2130706433', '0x7f.1', '0177.0.0.1', '0.0.0.0', '0', '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', 'localhost', 'LOCALHOST.', 'a.localhost'];
/** Of a host without a network there is none. */
const OWN = Object.values(networkInterfaces()).flatMap((all = []) => all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address));

describe('a stream started over HTTP', () => {
  it.each(METADATA)('never leads to %s', async (host) => {
    for (const scheme of ['http', 'https', 'rtsp', 'rtmp', 'srt']) expect(await why(`${scheme}://${host}/x`, INSIDE)).toBe('forbidden_address');
  });

  it.each([...LOOPBACK, ...OWN])('never leads to Lookout itself, as %s', async (host) => {
    for (const url of [`http://${host}:5000/`, `rtsp://${host}:5000/`]) for (const bounds of [INSIDE, OUTSIDE]) expect(await why(url, bounds)).toBe('forbidden_address');
  });

  it.each(LOOPBACK)('leads to %s over HTTP where nobody else reaches Lookout, and over RTSP anyway', async (host) => {
    expect(await why(`http://${host}:8080/`, OUTSIDE)).toBe('forbidden_address');
    // Not every resolver knows it.
    if (host === 'a.localhost') return;
    expect(await why(`http://${host}:8080/`, INSIDE)).toBeNull();
    expect(await why(`rtsp://${host}:8554/x`, OUTSIDE)).toBeNull();
  });

  it('may come from elsewhere where others are let in, or by a proxy, which a token and a name to be called by are for', () => {
    const others = [{}, { host: '0.0.0.0' }, { token: 'sixteen or longer' }, { runner_user: 'models' }, { allowed_hosts: ['cams.example'] }];
    expect(others.map((settings) => boundsOf({ ...SETTINGS, ...settings }))).toEqual([INSIDE, OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE]);
    expect(() => { refuseAtOnce({ scheme: 'http', hostname: 'localhost', port: 9000 }, OUTSIDE); }).toThrow(/port 9000, may not be opened: .* token.*; the setting allow_hosts opens it$/);
  });

  it.each(['192.168.1.20', '10.0.0.1', '203.0.113.9', '[2001:db8::1]'])('leads to %s', async (host) => {
    for (const url of [`http://${host}/`, `http://${host}:5000/`, `rtsp://user:pw@${host}/`]) expect(await why(url, OUTSIDE)).toBeNull();
  });

  it.each([['169.254.10.4', '169.254.10.4'], ['169.254.0.0/16', '169.254.10.4'], ['localhost', 'localhost'], ['127.0.0.1', 'localhost'], ['fe80::/10', '[fe80::1]']])('leads where allow_hosts says %s', async (name, host) => {
    expect(await why(`http://${host}:8080/x`, { ...OUTSIDE, allow_hosts: [name] })).toBeNull();
    expect(await why('http://169.254.169.254/', { ...OUTSIDE, allow_hosts: [name] })).toBe(name === '169.254.0.0/16' ? null : 'forbidden_address');
  });

  it('says what is refused, why, and what opens it', () => {
    expect(() => { refuseAtOnce({ scheme: 'http', hostname: '0xa9fea9fe', port: 80 }, INSIDE); }).toThrow(/^169\.254\.169\.254, port 80, may not be opened: link-local .*; the setting allow_hosts opens it$/);
  });
});

it('an address of lookout.yaml leads anywhere', async () => {
  await expect(reach({ scheme: 'http', hostname: '169.254.169.254', port: 80 }, null, never)).resolves.toEqual([{ address: '169.254.169.254', family: 4 }]);
});

it('a name that nobody knows is said to be one', async () => {
  await expect(reach({ scheme: 'rtsp', hostname: 'camera.invalid', port: 554 }, null, never)).rejects.toMatchObject({ code: 'stream_connect', message: expect.stringContaining('no address is known for camera.invalid') as string });
});

it.each([['nvr.example', true], ['10.0.0.1', true], ['fe80::1', true], ['10.0.0.0/8', true], ['10.0.0.0/33', false], ['a/8', false], ['http://a', false], ['a b', false]])('a setting may name %s: %s', (text, may) => {
  expect(isHostOrNetwork(text)).toBe(may);
});

it.each([
  ['rtsp://h/x', { scheme: 'rtsp', login: '', hostname: 'h', port: 554, path: '/x' }],
  ['RTSPS://u:p@ss@h:7441?a', { scheme: 'rtsps', login: 'u:p@ss', hostname: 'h', port: 7441, path: '?a' }],
  ['rtsp://[fe80::1%eth0]:8554/a@b', { scheme: 'rtsp', login: '', hostname: '[fe80::1%eth0]', port: 8554, path: '/a@b' }],
  ['rtsp://u:pa/ss@h/x', null], ['rtsp:///x', null], ['rtsp://h:99999/', null], ['file:/a', null],
])('%s leads to %j', (url, place) => {
  expect(placeOf(url)).toEqual(place);
});
