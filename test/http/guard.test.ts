/** Who may ask: names of the host, origins, the token; and the server's own start and end. */
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNot } from '../../src/http/listen.ts';
import { claimPort, startServer } from '../../src/http/server.ts';
import { createTries, networkOf, type Tries } from '../../src/http/tries.ts';
import { createLog, silentLog } from '../../src/lib/log.ts';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { ask, createSite, type Site, STATIC } from './site.ts';

let face: FakeFace;
let open: Site;
let locked: Site;

beforeAll(async () => {
  face = createFakeFace();
  open = await createSite(face, { allowed_hosts: ['Cams.example'] });
  locked = await createSite(face, { token: 'öpen sesame', host: '0.0.0.0' });
});

afterAll(async () => { await Promise.all([open.close(), locked.close()]); });

describe('the Host', () => {
  it.each(['127.0.0.1', 'localhost', 'LOCALHOST:8080', '[::1]', '192.0.2.7:5000', hostname()])('%s is answered: no page elsewhere can have it', async (host) => {
    expect((await open.send('GET', '/healthz', { headers: { Host: host } })).status).toBe(200);
  });

  it.each(['cams.example', 'cams.example:8443'])('%s is answered because it is allowed', async (host) => {
    expect((await open.send('GET', '/healthz', { headers: { Host: host } })).status).toBe(200);
  });

  it.each(['evil.example', 'evil.example:5000', 'localhost.evil.example', '127.0.0.1.evil.example', '[::1', 'a:b'])('"%s" is refused', async (host) => {
    const { status, json } = await open.send('GET', '/api/streams', { headers: { Host: host } });
    expect(status).toBe(403);
    expect(json).toMatchObject({ code: 'forbidden_origin' });
  });

  it('is checked as well where other machines are let in without a token', async () => {
    const site = await createSite(face, { host: '0.0.0.0' });
    try {
      expect((await site.send('POST', '/start_stream', { headers: { Host: 'evil.example:5000', Origin: 'http://evil.example:5000' }, json: {} })).status).toBe(403);
    } finally {
      await site.close();
    }
  });

  it('is free where a token is asked for', async () => {
    expect((await locked.send('GET', '/healthz', { headers: { Host: 'cams.example' } })).status).toBe(200);
  });
});

describe('the Origin', () => {
  it('of our own page is answered', async () => {
    expect((await open.send('GET', '/api/streams', { headers: { Origin: `http://127.0.0.1:${open.port}` } })).status).toBe(200);
    expect((await open.send('GET', '/api/streams', { headers: { Host: 'cams.example', Origin: 'https://cams.example' } })).status).toBe(200);
  });

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'file://', 'http://127.0.0.1'])('%s is refused, and nothing starts', async (origin) => {
    const { status } = await open.send('POST', '/start_stream', { headers: { Origin: origin }, json: { rtsp_url: 'rtsp://a/', camera_id: 'a' } });
    expect(status).toBe(403);
    expect(face.asked.starts).toEqual([]);
  });
});

describe('what a browser says of the page that asks', () => {
  const NAVIGATES = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
  it.each<[string, string, Record<string, string>, number]>([
    ['our own page', 'same-origin', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }, 200],
    ['nobody but a person', 'none', NAVIGATES, 200],
    ['a link on another site', 'cross-site', { ...NAVIGATES, 'Sec-Fetch-User': '?1' }, 200],
    ['a picture on another site', 'cross-site', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }, 403],
    ['a video on a page of another port', 'same-site', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'video' }, 403],
    ['a frame on another site', 'cross-site', { ...NAVIGATES, 'Sec-Fetch-Dest': 'iframe' }, 403],
    ['a site that has it fetched ahead', 'cross-site', { ...NAVIGATES, 'Sec-Purpose': 'prefetch' }, 403],
  ])('is that it is for %s: %s %j', async (_what, site, sent, expected) => {
    const headers = { 'Sec-Fetch-Site': site, ...sent };
    const { status, json } = await open.send('GET', '/api/streams', { headers });
    expect([status, (json as { code?: string }).code]).toEqual([expected, expected === 200 ? undefined : 'forbidden_origin']);
    // A browser that knows the token sends it along.
    expect((await locked.send('GET', '/api/streams', { headers: { ...headers, Authorization: `Basic ${Buffer.from(':öpen sesame').toString('base64')}` } })).status).toBe(expected);
  });
});

describe('the token', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each(['/', '/api/streams', '/static/app.js', '/readyz', '/metrics', '/nothing', '/openapi.json', '/docs'])('is asked for at %s, in a way that browsers understand', async (path) => {
    const { status, headers, json } = await locked.send('GET', path);
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Basic realm="Lookout", charset="UTF-8"');
    expect(json).toMatchObject({ code: 'unauthorized' });
  });

  it('is not asked for at /healthz', async () => {
    expect((await locked.send('GET', '/healthz')).status).toBe(200);
  });

  it.each([basic('öpen sesame'), basic(':öpen sesame'), basic('any body:öpen sesame'), 'Bearer %C3%B6'])('is told by %s or not', async (authorization) => {
    const expected = authorization.startsWith('Basic') ? 200 : 401;
    expect((await locked.send('GET', '/api/streams', { headers: { Authorization: authorization } })).status).toBe(expected);
  });

  it('is taken as a Bearer, whole or not at all', async () => {
    const site = await createSite(face, { token: 's3cret' });
    try {
      const ask = async (authorization: string): Promise<number> => (await site.send('GET', '/api/streams', { headers: { Authorization: authorization } })).status;
      expect(await Promise.all(['Bearer s3cret', 'bearer s3cret', 'Bearer s3cre', 'Bearer s3cret1', 'Bearer', 's3cret', basic('s3cret:')].map(ask))).toEqual([200, 200, 401, 401, 401, 401, 401]);
    } finally {
      await site.close();
    }
  });
});

describe('wrong tokens', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'warn', format: 'text', write: (line) => lines.push(line) });
  const knock = (tries: Tries, times: number, isRight = false, from = '192.0.2.7'): readonly unknown[] => Array.from({ length: times }, () => tries.judge(from, isRight));

  it('are limited by address: then the right one is refused as well, and says no more to who guesses', async () => {
    const site = await createSite(face, { token: 's3cret' });
    try {
      const ask = (token: string | null, from = '192.0.2.9'): ReturnType<Site['send']> =>
        site.send('GET', '/api/streams', { headers: { 'X-Forwarded-For': `203.0.113.1, ${from}`, ...(token === null ? {} : { Authorization: `Bearer ${token}` }) } });
      for (let time = 0; time < 10; time += 1) expect((await ask('wrong')).status).toBe(401);
      for (const token of ['wrong', 's3cret']) {
        const { status, headers, json } = await ask(token);
        expect([status, headers['retry-after'], (json as { code: string }).code]).toEqual([429, '60', 'too_many_tries']);
      }
      // Who sends none has not tried, and others are others.
      expect((await ask(null)).status).toBe(401);
      expect((await ask('s3cret', '192.0.2.10')).status).toBe(200);
    } finally {
      await site.close();
    }
  });

  it('lock out nobody who shares the address and has sent the right one before', () => {
    const tries = createTries(silentLog, 60_000);
    expect(knock(tries, 1, true)).toEqual(['right']);
    expect(knock(tries, 11)).toEqual([...Array<string>(10).fill('wrong'), 60]);
    expect([knock(tries, 1, true), knock(tries, 1)]).toEqual([['right'], [60]]);
  });

  it('are forgotten after a minute, told at once, and then in a line a minute', async () => {
    const tries = createTries(log, 100);
    knock(tries, 25);
    knock(tries, 1, false, '192.0.2.8');
    expect(lines).toEqual([expect.stringContaining('a client sent a wrong token from=192.0.2.7')]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(lines.slice(1)).toEqual([expect.stringContaining('more wrong tokens within a minute wrong=10 refused_unseen=15 from="192.0.2.7, 192.0.2.8"')]);
    expect(knock(tries, 1, true)).toEqual(['right']);
  });

  it('from one IPv6 network count together', () => {
    expect(['2001:db8:0:1:2::9', '2001:db8::1:0:0:0:7', '2001:db8::7', '::1', '192.0.2.1'].map(networkOf)).toEqual([
      '2001:db8:0:1::/64', '2001:db8:0:1::/64', '2001:db8:0:0::/64', '0:0:0:0::/64', '192.0.2.1',
    ]);
  });
});

it('every answer carries safe headers, refusals too', async () => {
  for (const { headers } of [await open.send('GET', '/'), await open.send('GET', '/nothing'), await locked.send('GET', '/')]) {
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' });
    expect(headers['content-security-policy']).toMatch(/^default-src 'self';/);
    expect(headers['x-powered-by']).toBeUndefined();
  }
});

describe('the server', () => {
  const config = { host: '127.0.0.1', port: 0, token: null, allowed_hosts: [], project: null, push_max_bytes: 1_000_000, camera_password: null, push_camera_viewers: null };
  const options = { face: createFakeFace(), config, staticDir: STATIC, log: silentLog, version: '1' };

  it('names an address that a browser can open', async () => {
    const server = await startServer({ ...options, config: { ...config, host: '0.0.0.0' } });
    expect(server.url).toBe(`http://localhost:${server.port}`);
    await server.close();
  });

  it('says which port is taken', async () => {
    await expect(startServer({ ...options, config: { ...config, port: open.port } })).rejects.toThrow(`Cannot listen on 127.0.0.1:${open.port}: another program uses it`);
  });

  it.each([
    ['192.0.2.1', /^Cannot listen on 192\.0\.2\.1:0: this machine has no such address; choose one of its own with --host: .*127\.0\.0\.1/],
    ['2001:db8::1', /^Cannot listen on \[2001:db8::1\]:0: this machine has no (such address|addresses of that kind); choose /],
    ['fe80::1', /^Cannot listen on \[fe80::1\]:0: the address is not whole; .* fe80::1%eth0|no addresses of that kind/],
    ['no-such-host.invalid', /^Cannot listen on no-such-host\.invalid:0: no address is known for that name; choose /],
  ])('says what to do where it cannot listen on %s', async (host, words) => {
    await expect(startServer({ ...options, config: { ...config, host } })).rejects.toMatchObject({ code: 'listen_failed', message: expect.stringMatching(words) as string });
  });

  it('says what to do where only root may listen', () => {
    expect(whyNot(Object.assign(new Error('listen EACCES'), { code: 'EACCES' }))).toContain('choose one from 1024 on with --port');
    expect(whyNot(Object.assign(new Error('listen EMFILE: too many open files'), { code: 'EMFILE' }))).toContain('too many open files');
  });

  it('lets requests wait that come before it is ready', async () => {
    const port = await claimPort(config, silentLog);
    const answers = Promise.all(['/healthz', '/readyz'].map((path) => ask(port.port, 'GET', path)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await startServer(options, port);
    expect((await answers).map(({ status }) => status)).toEqual([200, 200]);
    await port.close();
  });

  it('closes although a client holds its connection', async () => {
    const server = await startServer(options);
    const socket = connect(server.port, '127.0.0.1');
    const ended = new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined));
    socket.write('POST /start_stream HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n');
    await new Promise((resolve) => socket.once('connect', resolve));
    const begun = Date.now();
    await server.close();
    await ended;
    expect(Date.now() - begun).toBeLessThan(5000);
  });
});
