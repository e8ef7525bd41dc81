/** The follower for webhooks, against a server of node:http: what it sends, and what it makes of any answer. */
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as webhook from '../../src/followers/webhook.ts';
import { retryAfter } from '../../src/followers/webhook/answer.ts';
import { safeId } from '../../src/followers/webhook/headers.ts';
import { createRate } from '../../src/followers/webhook/rate.ts';
import { redirected } from '../../src/followers/webhook/redirect.ts';
import { keysOf, signatureOf } from '../../src/followers/webhook/signature.ts';
import { startFollowers, type Followers } from '../../src/following/followers.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import { openLog } from '../../src/log/record-log.ts';
import type { Follower, FollowerContext, FollowerMember, Item, LatestPicture } from '../../src/types.ts';
import { contextOf, eventItem, followerContract, recordItem, reviewItem } from '../contracts/follower.ts';
import { readForm } from '../helpers/form.ts';
import { hasOpenssl } from '../helpers/openssl.ts';
import { startHook, type Hook, type Hooked } from '../helpers/hook.ts';

type Settings = webhook.WebhookSettings;

const never = new AbortController().signal;
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const defaults: Omit<Settings, 'url'> = {
  secret: null, old_secret: null, template: null, content_type: null, picture: false, picture_field: null, picture_url: null, headers: {}, max_age_seconds: null, per_minute: null, timeout_seconds: 5,
};
const settingsOf = (url: string, more: Partial<Settings> = {}): Settings => ({ url, ...defaults, ...more });
const idOf = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): string => decodeURIComponent(String(headers['webhook-id']));

followerContract('webhook', {
  member: webhook,
  secret: 'hunter2hunter2',
  async target() {
    const hook = await startHook();
    return {
      settings: settingsOf(hook.url.replace('//', '//lookout:hunter2hunter2@'), { secret: SECRET }),
      start: async () => { await hook.stop(); await hook.start(); },
      stop: () => hook.stop(),
      received: () => Promise.resolve(hook.requests.filter(({ body }) => (JSON.parse(body) as { type: string }).type !== 'lookout.test').map(idOf).filter((id, index, all) => all.indexOf(id) === index)),
      remove: () => hook.stop(),
    };
  },
});

let hook: Hook;
const followers: Follower[] = [];
beforeAll(async () => { hook = await startHook(); });
afterAll(() => hook.stop());
beforeEach(() => {
  hook.requests.length = 0;
  hook.answer = (_request, response) => { response.end('ok'); };
});
afterEach(async () => { await Promise.all(followers.splice(0).map((one) => one.close())); });

const follow = (more: Partial<Settings> = {}, context: Partial<FollowerContext<Settings>> = {}): Follower => followerOf(hook.url, more, context);

function followerOf(url: string, more: Partial<Settings> = {}, context: Partial<FollowerContext<Settings>> = {}): Follower {
  const follower = webhook.create(contextOf(settingsOf(url, more), context));
  followers.push(follower);
  return follower;
}

/** Says the same to all, without listening to the end. */
async function talking(words: string): Promise<{ readonly url: string; close(): Promise<unknown> }> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end(words));
  });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => new Promise((done) => server.close(done)) };
}

const answering = (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Hook['answer'] => (_request, response) => { response.writeHead(status, headers).end(body); };
const failureOf = (promise: Promise<unknown>): Promise<{ code?: string; message: string; details: Record<string, unknown> }> => promise.then(() => { throw new Error('nothing was thrown'); }, (error: unknown) => error as never);
const bodies = (): readonly Record<string, unknown>[] => hook.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const ageing = (seconds: number, number: number, more: Parameters<typeof eventItem>[1] = {}): Item => ({ ...eventItem(number, more), time: new Date(Date.now() - seconds * 1000).toISOString() });

describe('a request', () => {
  it('is signed as the published example is', () => {
    const signature = signatureOf(keysOf({ secret: SECRET, old_secret: null }), 'msg_p5jXN8AQM9LWM0D4loKWxJek', '1614265330', Buffer.from('{"test": 2432232314}'));
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('is signed with both secrets while they are changed, of its time and its bytes', async () => {
    await follow({ secret: SECRET, old_secret: 'a plain text of some length' }).deliver([eventItem(1, { class: 'straße 🐕' })], never);
    const { headers, body } = hook.requests[0] as Hooked;
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    const expected = [Buffer.from(SECRET.slice(6), 'base64'), Buffer.from('a plain text of some length')].map((key) => `v1,${createHmac('sha256', key).update(signed, 'utf8').digest('base64')}`);
    expect(headers['webhook-signature']).toBe(expected.join(' '));
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
  });

  it('is unsigned without a secret', async () => {
    await follow().deliver([eventItem(1)], never);
    expect(hook.requests[0]?.headers).not.toHaveProperty('webhook-signature');
  });

  it('is a CloudEvent with the item as its data', async () => {
    const [event, record] = [eventItem(7), recordItem(7)];
    await follow().deliver([event, record], never);
    expect(hook.requests.map(({ headers }) => headers['content-type'])).toEqual(['application/cloudevents+json', 'application/cloudevents+json']);
    expect(bodies()).toEqual([
      { specversion: '1.0', id: event.id, source: '/lookout/cameras/gate', type: 'lookout.event.begun', time: event.time, subject: event.value['id'], datacontenttype: 'application/json', data: event.value },
      { specversion: '1.0', id: record.id, source: '/lookout/cameras/gate', type: 'lookout.record', time: record.time, subject: record.id, datacontenttype: 'application/json', data: record.value },
    ]);
  });

  it('says in words what else the log of events holds', async () => {
    const summary = { kind: 'summary', id: 'summary-1', at: '2026-01-01T00:00:09.000Z', camera_id: 'gate', rule: 'dogs', day: '2026-01-01', suppressed: 1, alerts: 5, when: 'first' };
    const item: Item = { log: 'events', id: 'summary-1', camera_id: 'gate', time: summary.at, value: summary, bytes: 200 };
    await follow({ template: '{{ item.type }}: {{ item.text }}', content_type: 'text/plain', max_age_seconds: 1 }).deliver([reviewItem(7, { keep: true })], never);
    await follow({ template: '{{ item.type }}: {{ item.text }}', content_type: 'text/plain' }).deliver([reviewItem(7, { verdict: null }), item], never);
    expect(hook.requests.map(({ body }) => body)).toEqual([
      'lookout.event.review: gate: a false alarm of an event of default, to be kept', 'lookout.event.review: gate: no verdict of an event of default',
      'lookout.event.summary: gate: 1 more events of dogs on 2026-01-01, after 5 alerts',
    ]);
  });

  it('takes records of other programs as they are, without a time or with an odd one', async () => {
    const odd = { ...recordItem(1), id: 'a'.repeat(64), camera_id: 'Straße 1\n"', time: 'yesterday', value: { anything: [1, null], lone: '\ud800' } };
    expect(await follow().deliver([odd, { ...odd, id: 'b'.repeat(64), time: null }], never)).toEqual([]);
    expect(bodies()[0]).toMatchObject({ source: '/lookout/cameras/Stra%C3%9Fe%201%20%22', data: { anything: [1, null] } });
    for (const body of bodies()) expect(body).not.toHaveProperty('time');
  });

  it('has an id that a header carries and nobody takes apart, another for each item', () => {
    const odd = ['a.b', 'a%2Eb', 'a b', 'ü', 'a\r\nx: y', 'gate_0123-20260101T000001000000Z', '019b/0', 'x'.repeat(10_000), `${'x'.repeat(10_000)}y`];
    const safe = odd.map(safeId);
    expect(new Set(safe).size).toBe(odd.length);
    for (const id of safe) expect(id).toMatch(/^[\w%~:/-]{1,512}$/);
    expect(safe.slice(0, 7).map(decodeURIComponent)).toEqual(odd.slice(0, 7));
  });

  it('has the headers that were set, and the login of the address as Basic', async () => {
    await follow({ headers: { 'X-Api-Key': 'key key', 'User-Agent': 'mine' }, content_type: 'application/json' }).deliver([eventItem(1)], never);
    const logged = followerOf(hook.url.replace('//', '//us%C3%A9r:p%40ss%2F@'));
    await logged.deliver([eventItem(2)], never);
    expect(hook.requests[0]?.headers).toMatchObject({ 'x-api-key': 'key key', 'user-agent': 'mine', 'content-type': 'application/json' });
    expect(hook.requests[1]?.headers.authorization).toBe(`Basic ${Buffer.from('usér:p@ss/').toString('base64')}`);
  });

  it('comes over one connection that is kept, one after the other', async () => {
    let open = 0;
    let most = 0;
    hook.answer = (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => { open -= 1; response.end(); }, 5);
    };
    await follow().deliver(Array.from({ length: 20 }, (_, number) => eventItem(number)), never);
    expect(most).toBe(1);
    expect(new Set(hook.requests.map(({ port }) => port)).size).toBe(1);
  });

  it('reaches an address of IPv6', async () => {
    const six = await startHook({ host: '::1' });
    try {
      const follower = followerOf(six.url);
      await follower.deliver([eventItem(1)], never);
      expect(six.requests).toHaveLength(1);
    } finally {
      await six.stop();
    }
  });
});

describe('an answer', () => {
  it.each([200, 201, 202, 204, 299])('of %i is a delivery', async (status) => {
    hook.answer = answering(status);
    expect(await follow().deliver([eventItem(1)], never)).toEqual([]);
  });

  it.each([400, 413, 422])('of %i refuses its item alone, in the target\'s words', async (status) => {
    hook.answer = (request, response) => { response.writeHead(idOf(request) === eventItem(2).id ? status : 200).end('no such\nclass'); };
    const refused = await follow().deliver([eventItem(1), eventItem(2), eventItem(3)], never);
    expect(refused).toEqual([{ item: eventItem(2), reason: expect.stringMatching(new RegExp(`^it answered ${status} .*: no such class$`)) as unknown }]);
    expect(hook.requests).toHaveLength(3);
  });

  it.each([401, 403, 404, 408, 409, 410, 415, 429, 500, 502, 503, 504, 302, 304])('of %i is the target\'s fault', async (status) => {
    hook.answer = answering(status);
    const failure = await failureOf(follow().deliver([eventItem(1)], never));
    expect(failure).toMatchObject({ code: 'target_away', details: {} });
    expect(failure.message).toContain(String(status));
  });

  it('may say when to come again, in seconds or by a date', async () => {
    hook.answer = answering(429, { 'retry-after': '17' });
    expect((await failureOf(follow().deliver([eventItem(1)], never))).details).toEqual({ retry_after_seconds: 17 });
    const now = Date.UTC(2026, 0, 1);
    expect(retryAfter(new Date(now + 90_000).toUTCString(), now)).toBe(90);
    expect(retryAfter(new Date(now - 90_000).toUTCString(), now)).toBe(0);
    expect(retryAfter('99999999999', now)).toBe(3600);
    for (const odd of ['soon', '', '-5x', undefined]) expect(retryAfter(odd, now)).toBeNull();
  });

  it('of ten gigabytes is not read', async () => {
    let sent = 0;
    const part = Buffer.alloc(65_536, 'x');
    hook.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '10000000000' });
      const pour = (): void => {
        while (!response.destroyed && sent < 1e9) {
          sent += part.length;
          if (!response.write(part)) return;
        }
      };
      response.on('drain', pour);
      pour();
    };
    expect(await follow().deliver([eventItem(1), eventItem(2)], never)).toEqual([]);
    expect(sent).toBeLessThan(50e6);
  });

  it('whose body never ends holds nothing up', async () => {
    hook.answer = (_request, response) => { response.write('taken'); };
    const begun = Date.now();
    expect(await follow({ timeout_seconds: 30 }).deliver([eventItem(1)], never)).toEqual([]);
    expect(Date.now() - begun).toBeLessThan(5000);
  });

  it('that comes too late is none, and the item comes again with the same id', async () => {
    hook.answer = () => undefined;
    const follower = follow({ timeout_seconds: 0.3 });
    const failure = await failureOf(follower.deliver([eventItem(1)], never));
    expect(failure).toMatchObject({ code: 'target_away', message: expect.stringMatching(/no answer within 0.3 s/) as unknown });
    hook.answer = answering(200);
    await follower.deliver([eventItem(1)], never);
    expect(hook.requests.map(idOf)).toEqual([eventItem(1).id, eventItem(1).id]);
  });

  it('is waited for no longer than until the signal aborts', async () => {
    hook.answer = () => undefined;
    const begun = Date.now();
    await expect(follow({ timeout_seconds: 60 }).deliver([eventItem(1)], AbortSignal.timeout(100))).rejects.toBeDefined();
    expect(Date.now() - begun).toBeLessThan(1000);
  });

  it('that breaks off counts by its status, if that came', async () => {
    hook.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('ta');
      setTimeout(() => response.destroy(), 20);
    };
    expect(await follow().deliver([eventItem(1)], never)).toEqual([]);
    hook.answer = (_request, response) => { response.destroy(); };
    expect((await failureOf(follow().deliver([eventItem(2)], never))).code).toBe('target_away');
  });

  it('that is no HTTP is the target\'s fault', async () => {
    const server = await talking('220 mail ready\r\n');
    expect((await failureOf(followerOf(server.url).deliver([eventItem(1)], never))).code).toBe('target_away');
    await server.close();
  });

  it('that comes before all was sent counts, though the target hangs up', async () => {
    const server = await talking('HTTP/1.1 413 Too Large\r\ncontent-length: 8\r\nconnection: close\r\n\r\ntoo much');
    const refused = await followerOf(server.url).deliver([recordItem(1, { more: 'x'.repeat(7_000_000) })], never);
    expect(refused.map(({ reason }) => reason)).toEqual(['it answered 413 Payload Too Large: too much']);
    await server.close();
  });

  it('repeats no secret', async () => {
    const settings = settingsOf(`${hook.url.replace('//', '//user:hunter2hunter2@')}/T0001/Xk29dkfiw0?key=sesame5`, {
      picture: true, picture_url: '/T0001/Yl38dkfiw1?key=sesame6',
      secret: SECRET, headers: { 'X-Api-Key': 'abracadabra', 'X-Other': 'Bearer shazam99' },
      template: '{"routing_key": "0123456789abcdef01234567", "text": "{{ item.text }}"}',
    });
    const follower = followerOf(settings.url, settings);
    const hidden = ['hunter2', 'Xk29dkfiw0', 'sesame5', 'Yl38dkfiw1', 'sesame6', 'abracadabra', 'shazam99', 'MfKQ9r8GKYqrTwjU', '0123456789abcdef'];
    for (const status of [400, 500]) {
      hook.answer = ({ path, headers, body }, response) => { response.writeHead(status).end(`${SECRET} ${path} ${headers.authorization ?? ''} ${String(headers['x-api-key'])} ${String(headers['x-other'])} ${body.slice(0, 60)} ${settings.url}`); };
      const said = status === 400 ? (await follower.deliver([eventItem(1)], never))[0]?.reason ?? '' : (await failureOf(follower.deliver([eventItem(1)], never))).message;
      expect(said).toContain(String(status));
      for (const secret of [...hidden, Buffer.from('user:hunter2hunter2').toString('base64')]) expect(said).not.toContain(secret);
    }
    expect(webhook.target(settings)).toBe(new URL(hook.url).origin);
  });
});

describe('what follows a log by it', () => {
  it('sends nothing again after a retry or a stop but what was on its way', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-webhook-'));
    const silent = createLog({ level: 'error', format: 'text', write: () => undefined });
    const log = await openLog<object>({
      config: { predictions: join(folder, 'events.ndjson'), data_dir: folder, index: 'events.idx', format: 'ndjson', rotate_bytes: null, rotate_gzip: false, records_max_bytes: null }, kind: 'events', log: silent,
    });
    const start = (): Promise<Followers> => startFollowers({
      config: { data_dir: folder, followers_hold_bytes: 0, followers: [{ name: 'one', type: 'webhook', logs: ['events'], events: 'alerts', from: 'beginning', pictures: false, aside_max_bytes: 1e6, ...settingsOf(hook.url) }] },
      members: new Map([['webhook', webhook as unknown as FollowerMember]]), logs: new Map([['events', log]]), version: '0', picture: () => Promise.resolve(null), clip: () => null,
      lookout: contextOf({}).lookout, clock: systemClock, log: silent,
    });
    for (let number = 1; number <= 9; number += 1) await log.append([eventItem(number).value], never);
    await mkdir(join(folder, 'followers/one.aside'), { recursive: true });
    await writeFile(join(folder, 'followers/one.aside/1-a.json'), JSON.stringify({ item: eventItem(20) }));
    const numbers = (): readonly number[] => hook.requests.map((request) => Number(idOf(request).slice(-4, -2)));
    hook.answer = (request, response) => { if (idOf(request) !== eventItem(7).id) response.end(); };
    let following = await start();
    await expect.poll(numbers, { timeout: 10_000 }).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await following.retry('one')).toBe(1);
    await expect.poll(numbers, { timeout: 10_000 }).toEqual([1, 2, 3, 4, 5, 6, 7, 20, 7]);
    await following.close();
    hook.answer = answering(200);
    following = await start();
    await expect.poll(numbers, { timeout: 10_000 }).toEqual([1, 2, 3, 4, 5, 6, 7, 20, 7, 7, 8, 9]);
    await following.close();
    await log.close();
    await rm(folder, { recursive: true });
  });
});

describe('a redirect', () => {
  it.each([307, 308])('of %i to the same place is followed, with method, body and headers', async (status) => {
    hook.answer = ({ path }, response) => { response.writeHead(path === '/hook' ? status : 200, path === '/hook' ? { location: '/elsewhere?x=1' } : {}).end(); };
    await follow({ secret: SECRET }).deliver([eventItem(1)], never);
    expect(hook.requests.map(({ path }) => path)).toEqual(['/hook', '/elsewhere?x=1']);
    expect(hook.requests[1]?.body).toBe(hook.requests[0]?.body);
    expect(hook.requests[1]?.headers['webhook-signature']).toMatch(/^v1,/);
  });

  it('to another host brings nothing there', async () => {
    const other = await startHook({ host: '127.0.0.2' });
    try {
      hook.answer = answering(307, { location: other.url });
      const failure = await failureOf(follow().deliver([eventItem(1)], never));
      expect(failure).toMatchObject({ code: 'target_away', message: expect.stringMatching(/another host, 127.0.0.2/) as unknown });
      expect(other.requests).toEqual([]);
    } finally {
      await other.stop();
    }
  });

  it('to another host that repeats a secret is told without it, and in short', async () => {
    hook.answer = ({ path }, response) => { response.writeHead(307, { location: `//${path.slice(1)}-${'x'.repeat(5000)}/` }).end(); };
    const { message } = await failureOf(follow({ url: `${new URL(hook.url).origin}/xk29dkfiw0` }).deliver([eventItem(1)], never));
    expect(message).toMatch(/another host, \*\*\*-x{100,300}…$/);
  });

  it('goes no more than three times', async () => {
    hook.answer = answering(308, { location: '/hook' });
    expect((await failureOf(follow().deliver([eventItem(1)], never))).message).toMatch(/more than 3 redirects/);
    expect(hook.requests).toHaveLength(4);
  });

  const from = new URL('https://example.com/hook');
  it.each([
    ['http://example.com/hook', /only the same place/], ['https://example.com:8443/', /only the same place/], ['https://169.254.169.254/', /another host/], ['//evil.example/', /another host/],
    ['https://example.com.evil.example/', /another host/], ['https://', /without an address/], ['file:///etc/passwd', /another host/], [undefined, /without an address/],
  ])('from https to %s is not followed', (location, why) => {
    expect(redirected(from, 307, location, 0)).toMatch(why);
  });

  it('may lead from http to https, and takes no login along', () => {
    expect(String(redirected(new URL('http://example.com/hook'), 308, 'https://user:word@example.com/hook', 0))).toBe('https://example.com/hook');
  });
});

describe('over TLS', () => {
  it.runIf(hasOpenssl)('a certificate that nobody knows is the target\'s fault, in words, and nothing is sent', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-webhook-'));
    try {
      await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '3', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'], { cwd: folder });
      const [key, cert] = await Promise.all(['key.pem', 'cert.pem'].map((file) => readFile(join(folder, file))));
      const tls = await startHook({ scheme: 'https', serve: (listener) => createTlsServer({ key, cert }, listener) });
      const follower = followerOf(tls.url);
      const failure = await failureOf(follower.deliver([eventItem(1)], never));
      expect(failure).toMatchObject({ code: 'target_away', message: expect.stringMatching(/its certificate is not trusted: it signs itself; start Lookout with NODE_EXTRA_CA_CERTS/) as unknown });
      expect(tls.requests).toEqual([]);
      await tls.stop();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('a picture', () => {
  const [captured, drawn] = [Buffer.from('ffd8ff00c328a0ffd9', 'hex'), Buffer.from('ffd8ff0d0a0d0a2d2dc328a0ffd9', 'hex')];
  const lookout = { ...contextOf({}).lookout, eventDrawing: () => Promise.resolve(drawn) };
  const of = (jpeg: Uint8Array | null): Partial<FollowerContext<Settings>> => ({ picture: () => Promise.resolve(jpeg), lookout });
  const form = { picture: true, picture_field: 'files[0]', template: '{"payload_json": {"content": "{{ item.text }}"}, "chat": "{{ item.camera_id }}", "none": null, "flag": true, "shown": "{% if picture_base64 %}yes{% endif %}"}' };

  it('comes with a CloudEvent, of an event with its box, of a record as it is, and not where there is none', async () => {
    await follow({ picture: true }, of(captured)).deliver([eventItem(1), recordItem(1)], never);
    await follow({ picture: true }, of(null)).deliver([eventItem(2)], never);
    await follow({}, of(captured)).deliver([eventItem(3)], never);
    expect(bodies().map(({ data }) => data)).toEqual([
      { ...eventItem(1).value, picture_base64: drawn.toString('base64') }, { ...recordItem(1).value, picture_base64: captured.toString('base64') }, eventItem(2).value, eventItem(3).value,
    ]);
  });

  it('comes with what a template makes, beside the megabyte that it may have, and is drawn into only where it is sent', async () => {
    const large = Buffer.alloc(1_500_000, 0xd8);
    const asked: string[] = [];
    const template = '{% if event.state == "begun" and picture_base64 %}{"pictures": ["{{ picture_base64 }}"]}{% endif %}';
    const follower = follow({ picture: true, template }, { ...of(large), lookout: { ...lookout, eventDrawing: (id) => { asked.push(id); return Promise.resolve(null); } } });
    const items = [eventItem(1), eventItem(1, { sequence: 1, state: 'going_on' })];
    expect(await follower.deliver(items, never)).toEqual([]);
    expect(await Promise.all(items.map(async (item) => follower.isSent?.(item)))).toEqual([true, false]);
    expect(bodies()).toEqual([{ pictures: [large.toString('base64')] }]);
    expect(asked).toEqual([eventItem(1).value['id']]);
  });

  it('is a file of a form, whose fields are the members of the template\'s JSON, signed and sent on as it was', async () => {
    hook.answer = ({ path }, response) => { response.writeHead(path === '/hook' ? 307 : 200, path === '/hook' ? { location: '/on' } : {}).end(); };
    const odd = 'Straße "🐕"; name="chat"';
    await follow({ ...form, secret: SECRET }, of(captured)).deliver([eventItem(1, { camera_id: odd })], never);
    const [first, second] = hook.requests as [Hooked, Hooked];
    expect(second.bytes.equals(first.bytes)).toBe(true);
    const { headers } = second;
    const signed = Buffer.concat([Buffer.from(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.`), second.bytes]);
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', Buffer.from(SECRET.slice(6), 'base64')).update(signed).digest('base64')}`);
    expect(readForm(second)).toEqual({
      payload_json: expect.stringMatching(/^\{"content":"Straße .*: dog since /) as unknown, chat: odd, flag: 'true', shown: 'yes', 'files[0]': { name: 'picture.jpg', type: 'image/jpeg', bytes: drawn },
    });
  });

  it('may have an address of its own, beside that of what has none', async () => {
    const follower = follow({ ...form, picture_url: 'sendPhoto?x=1' }, { lookout, picture: ({ id }) => Promise.resolve(id === eventItem(1).id ? captured : null) });
    await follower.deliver([eventItem(1), eventItem(2)], never);
    expect(hook.requests.map(({ path }) => path)).toEqual(['/sendPhoto?x=1', '/hook']);
    expect(hook.requests.map((request) => Object.keys(readForm(request)))).toEqual([['payload_json', 'chat', 'flag', 'shown', 'files[0]'], ['payload_json', 'chat', 'flag', 'shown']]);
  });

  it('that is too large, cannot be read or drawn into holds no alert back, and is told of once', async () => {
    const warned: unknown[] = [];
    const log: FollowerContext<Settings>['log'] = { warn: (message, facts) => { warned.push([message, facts]); }, info: () => undefined };
    const broken = (): Promise<never> => Promise.reject(new Error('EIO'));
    await follow({ picture: true }, { ...of(Buffer.alloc(5_000_001)), log }).deliver([eventItem(1), eventItem(2)], never);
    await follow({ picture: true }, { ...of(null), picture: broken, log }).deliver([eventItem(3)], never);
    await follow({ picture: true }, { ...of(captured), lookout: { ...lookout, eventDrawing: broken }, log }).deliver([eventItem(4), eventItem(5)], never);
    expect(bodies().map(({ data }) => (data as { picture_base64?: string }).picture_base64)).toEqual([undefined, undefined, undefined, captured.toString('base64'), captured.toString('base64')]);
    const about = (number: number, reason: string): object => ({ follower: 'test', item: eventItem(number).id, reason });
    expect(warned).toEqual([
      ['a picture is not sent; what it shows is', about(1, 'it has 5000001 bytes, and 5000000 are the most')],
      ['a picture is not sent; what it shows is', about(3, 'EIO')], ['a picture is sent without its box', about(4, 'EIO')],
    ]);
  });

  it('of a camera comes with a test: the newest', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-webhook-'));
    await Promise.all(['1', '2', '3'].map((name) => writeFile(join(folder, name), name)));
    const latest = (id: string): LatestPicture | null => (id === '4' ? null : { file: join(folder, id), captured_at: `2026-01-01T00:00:0${id === '2' ? 9 : id}.000Z` });
    const cameras = { ...lookout, streams: () => ['1', '2', '3', '4'].map((camera_id) => ({ camera_id }) as never), latest };
    expect(await follow({ picture: true }, { lookout: cameras }).test(never)).toMatch(/took a message of the type lookout.test, with the newest picture of a camera$/);
    expect(bodies()[0]).toMatchObject({ data: { test: true, picture_base64: Buffer.from('2').toString('base64') } });
    expect(await follow({ picture: true }, { lookout }).test(never)).toMatch(/lookout.test$/);
    await rm(folder, { recursive: true });
  });
});

describe('alerts that are too old', () => {
  it('are passed over, with one message after the first that is younger', async () => {
    const old = [ageing(7200, 1), ageing(7100, 1, { sequence: 1, state: 'going_on' }), ageing(7000, 2)];
    const warned: string[] = [];
    const follower = follow({ max_age_seconds: 3600 }, { log: { warn: (message) => { warned.push(message); }, info: () => undefined } });
    await follower.deliver(old, never);
    expect(hook.requests).toEqual([]);
    await follower.deliver([ageing(5000, 3), ageing(10, 4), ageing(5, 5)], never);
    expect(bodies().map(({ type }) => type)).toEqual(['lookout.event.begun', 'lookout.too_old', 'lookout.event.begun']);
    expect(bodies()[1]).toMatchObject({ source: '/lookout', data: { count: 3, from: old[0]?.time } });
    expect(warned).toEqual([expect.stringMatching(/^3 alerts between .* and .* were too old to be sent$/)]);
  });

  it('are told of once nothing more comes, and not again', async () => {
    const follower = follow({ max_age_seconds: 60 });
    await follower.deliver([ageing(100, 1)], never);
    await expect.poll(() => bodies().map(({ type }) => type), { timeout: 10_000 }).toEqual(['lookout.too_old']);
    await follower.deliver([ageing(1, 2)], never);
    expect(hook.requests).toHaveLength(2);
  });

  it('are told of with the same id until the target takes it, and counted once', async () => {
    const follower = follow({ max_age_seconds: 60 });
    await follower.deliver([ageing(100, 1)], never);
    hook.answer = answering(500);
    await failureOf(follower.deliver([ageing(1, 2)], never));
    hook.answer = ({ body }, response) => { response.writeHead(body.includes('too_old') ? 500 : 200).end(); };
    await follower.deliver([ageing(1, 2), ageing(1, 3)], never);
    hook.answer = answering(200);
    await follower.deliver([ageing(1, 4), ageing(1, 5)], never);
    const [begun, told] = ['lookout.event.begun', 'lookout.too_old'];
    expect(bodies().map(({ type }) => type)).toEqual([begun, begun, told, begun, told, begun, told, begun]);
    const notices = hook.requests.filter(({ body }) => body.includes(told));
    expect(new Set(notices.map(idOf)).size).toBe(1);
    for (const { body } of notices) expect(JSON.parse(body)).toMatchObject({ data: { count: 1 } });
  });

  it('hold up no other where the target knows nothing of such a message, and are written into the log', async () => {
    const warned: unknown[] = [];
    const follower = follow({ max_age_seconds: 60 }, { log: { warn: (...words) => { warned.push(words); }, info: () => undefined } });
    hook.answer = ({ body }, response) => { response.writeHead(body.includes('too_old') ? 404 : 200).end(); };
    await follower.deliver([ageing(100, 1)], never);
    for (const number of [2, 3, 4, 5]) expect(await follower.deliver([ageing(1, number)], never)).toEqual([]);
    expect(hook.requests.filter(({ body }) => body.includes('too_old'))).toHaveLength(3);
    expect(warned).toEqual([[expect.stringMatching(/^1 alert between .* was too old/), expect.objectContaining({ is: 'not_told', reason: expect.stringContaining('404') as unknown })]]);
  });

  it('do not keep from the target the end of what it was told of', async () => {
    const follower = follow({ max_age_seconds: 3600 });
    await follower.deliver([ageing(10, 1)], never);
    await follower.deliver([ageing(7200, 1, { sequence: 1, state: 'going_on' }), ageing(7100, 1, { sequence: 2, state: 'ended' }), ageing(1, 2)], never);
    expect(bodies().map(({ type }) => type)).toEqual(['lookout.event.begun', 'lookout.event.ended', 'lookout.event.begun']);
  });

  it('are sent all the same where somebody asked for them', async () => {
    await follow({ max_age_seconds: 60 }).deliver([{ ...ageing(7200, 1), asked: true }], never);
    expect(bodies().map(({ type }) => type)).toEqual(['lookout.event.begun']);
  });

  it('are no records', async () => {
    await follow({ max_age_seconds: 1 }).deliver([recordItem(1)], never);
    expect(bodies().map(({ type }) => type)).toEqual(['lookout.record']);
  });

  it('are written into the log at the least when it is closed', async () => {
    const warned: string[] = [];
    const follower = follow({ max_age_seconds: 60 }, { log: { warn: (message) => { warned.push(message); }, info: () => undefined } });
    await follower.deliver([ageing(100, 1)], never);
    await follower.close();
    expect(warned).toEqual([expect.stringMatching(/^1 alert between .* was too old to be sent$/)]);
  });
});

describe('the rate', () => {
  function clockOf(): Clock & { ms: number } {
    const clock = { ms: 0, now: () => clock.ms, monotonic: () => clock.ms, sleep: (ms: number) => { clock.ms += ms; return Promise.resolve(); }, after: () => () => undefined };
    return clock;
  }

  it('lets so many go within any minute, at once if there was a pause', async () => {
    const clock = clockOf();
    const rate = createRate(3, clock);
    const times: number[] = [];
    for (let index = 0; index < 7; index += 1) {
      await rate.wait(never);
      times.push(clock.ms);
      clock.ms += 1000;
    }
    expect(times).toEqual([0, 1000, 2000, 60_000, 61_000, 62_000, 120_000]);
  });

  it('ends the wait when the signal aborts, and stands in no test\'s way', async () => {
    const follower = follow({ per_minute: 1 });
    const begun = Date.now();
    await expect(follower.deliver([eventItem(1), eventItem(2)], AbortSignal.timeout(200))).rejects.toBeDefined();
    expect(await follower.test(never)).toMatch(/lookout\.test/);
    expect(Date.now() - begun).toBeLessThan(2000);
    expect(hook.requests).toHaveLength(2);
  });
});

describe('a test', () => {
  it('is plainly one, and says what the target made of it', async () => {
    expect(await follow().test(never)).toBe(`${new URL(hook.url).origin} took a message of the type lookout.test`);
    expect(bodies()[0]).toMatchObject({ type: 'lookout.test', data: { test: true } });
    hook.answer = answering(400, {}, 'no_text');
    expect(await failureOf(follow().test(never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/does not take a test: it answered 400 Bad Request: no_text/) as unknown });
  });

  it('stands in no delivery\'s way, nor one in its own', async () => {
    hook.answer = (_request, response) => { setTimeout(() => response.end(), 600); };
    const follower = follow({ timeout_seconds: 1 });
    const [refused, words] = await Promise.all([follower.deliver([eventItem(1)], never), follower.test(never)]);
    expect([refused, words]).toEqual([[], expect.stringContaining('took a message') as unknown]);
    expect(hook.requests).toHaveLength(2);
  });

  it('says so when the template gives nothing for it', async () => {
    expect(await follow({ template: '{% if event %}{"a": 1}{% endif %}' }).test(never)).toMatch(/^nothing was sent/);
    expect(hook.requests).toEqual([]);
  });
});

describe('settings', () => {
  it.each<[string, Partial<Settings>, RegExp]>([
    ['no address', { url: 'example.com/hook' }, /url must be an address/],
    ['an address of another kind', { url: 'ftp://example.com/' }, /url must be an address/],
    ['a short secret', { secret: 'short' }, /secret must have 16 bytes/],
    ['a short secret in base64', { secret: 'whsec_c2hvcnQ=' }, /secret must have 16 bytes/],
    ['a secret that is no base64', { secret: 'whsec_!!!!!!!!!!!!!!!!!!!!!!!!' }, /base64/],
    ['a short old secret', { secret: SECRET, old_secret: 'short' }, /old_secret must have 16 bytes/],
    ['an old secret alone', { old_secret: SECRET }, /old_secret is for a change/],
    ['a line break in a header', { headers: { 'X-A': 'b\r\nX-C: d' } }, /X-A may have neither line breaks/],
    ['a header that is no text', { headers: { 'X-A': 5 as unknown as string } }, /X-A must be text/],
    ['a header name with a blank', { headers: { 'X A': 'b' } }, /headers must have names/],
    ['a header of Lookout\'s own', { headers: { 'Webhook-Id': 'b' } }, /Webhook-Id, which Lookout sets/],
    ['a content type among headers', { headers: { 'Content-Type': 'text/plain' } }, /see content_type/],
    ['a header twice', { headers: { 'X-A': '1', 'x-a': '2' } }, /x-a twice/],
    ['two logins', { url: 'http://a:b@example.com/', headers: { authorization: 'Bearer c' } }, /only one can be sent/],
    ['a content type with a line break', { content_type: 'text/plain\r\nX-A: b' }, /content_type must be/],
    ['a field of no picture', { picture_field: 'photo', template: '{}' }, /picture_field is for pictures, which are not sent; set picture: true/],
    ['a form without a template', { picture: true, picture_field: 'photo' }, /picture_field needs a template/],
    ['a form of another type', { picture: true, picture_field: 'photo', template: '{}', content_type: 'text/plain' }, /remove content_type/],
    ['an address of no picture', { picture_url: 'sendPhoto' }, /picture_url is for pictures, which are not sent; set picture: true/],
    ['another host for pictures', { picture: true, picture_url: 'https://elsewhere.example/' }, /picture_url must be of the same scheme, host and port as url/],
    ['a login for pictures', { picture: true, picture_url: '//a:b@example.com/' }, /picture_url must be of the same/],
    ['an address for pictures that is none', { picture: true, picture_url: 'bot1:x/sendPhoto' }, /picture_url must be of the same/],
    ['an unknown filter', { template: '{{ item.text | shout }}' }, /template cannot be read: undefined filter: shout/],
    ['an unknown tag', { template: '{% fetch "http://x" %}' }, /template cannot be read: tag "fetch" not found/],
    ['a tag that is not closed', { template: '{% if event %}' }, /template cannot be read/],
    ['a file', { template: '{% include "/etc/passwd" %}' }, /reads files/],
    ['a file to be rendered', { template: '{% render "/etc/passwd" %}' }, /reads files/],
    ['a file as a frame', { template: '{% layout "/etc/passwd" %}' }, /reads files/],
  ])('%s has a fault, in words', (_name, given, words) => {
    const fault = webhook.fault({ ...settingsOf('http://example.com/sesame5'), ...given });
    expect(fault).toMatch(words);
    expect(fault).not.toContain('sesame5');
  });

  it('without a fault have none', () => {
    expect(webhook.fault(settingsOf('https://a:b@[::1]:8443/x', { secret: SECRET, old_secret: 'a plain text of some length', headers: { 'X-A': 'ü' }, content_type: 'text/plain; charset=utf-8', template: '{{ item.text }}' }))).toBeNull();
  });

  it('are those that the schema has, and secret where tokens may stand', () => {
    expect(webhook.secrets.filter((name) => !Object.hasOwn(webhook.settings, name))).toEqual([]);
    expect(Object.keys(webhook.settings)).toEqual(Object.keys(settingsOf('')));
  });
});

describe('a template', () => {
  const odd = '"}, "admin": true, "x": "\\ \n\u2028 <!channel> </script>';

  it('sees item, event, record and camera', async () => {
    const template = '{"i": {{ item | json }}, "e": {{ event.class | json }}, "r": {{ record.basic.camID | json }}, "c": {{ camera | json }}}';
    await follow({ template }).deliver([eventItem(1), recordItem(1)], never);
    expect(hook.requests[0]?.headers['content-type']).toBe('application/json');
    expect(bodies()).toEqual([
      { i: { id: eventItem(1).id, type: 'lookout.event.begun', time: eventItem(1).time, camera_id: 'gate', text: 'gate: dog since 2026-01-01T00:00:01.000Z, 90 % sure' }, e: 'dog', r: null, c: { id: 'gate', latitude: 48.1, longitude: 11.5 } },
      { i: expect.objectContaining({ type: 'lookout.record' }) as unknown, e: null, r: 'gate', c: { id: 'gate', latitude: 48.1, longitude: 11.5 } },
    ]);
  });

  it('keeps values within their quotes, whatever stands in them', async () => {
    const template = '{"text": "{{ event.class }} by {{ camera.id }}", "whole": {{ event.class | json }}, "sure": {{ event.best.confidence }}, "none": "{{ event.nothing.at_all }}", "box": "{{ event.best.box }}"}';
    await follow({ template }).deliver([eventItem(1, { class: odd })], never);
    expect(bodies()).toEqual([{ text: `${odd} by gate`, whole: odd, sure: 0.9, none: '', box: '[1,2,30,40]' }]);
  });

  it('leaves values as they are where the body is no JSON', async () => {
    await follow({ template: '{{ event.class }} at {{ event.began_at | date: "%H:%M" }}', content_type: 'text/plain' }).deliver([eventItem(1, { class: 'a "b"' })], never);
    expect(hook.requests[0]).toMatchObject({ body: 'a "b" at 00:00', headers: { 'content-type': 'text/plain' } });
  });

  it('that gives nothing sends nothing', async () => {
    const template = '{% if event.state == "begun" %}{"text": "{{ item.text }}"}{% endif %}\n';
    expect(await follow({ template }).deliver([eventItem(1), eventItem(1, { sequence: 1, state: 'ended' })], never)).toEqual([]);
    expect(hook.requests).toHaveLength(1);
  });

  it('says of what nothing is sent', async () => {
    const follower = follow({ template: '{% if event.state == "begun" %}{"a": {{ event.class }}}{% endif %}', max_age_seconds: 60 });
    const items = [ageing(1, 1, { class: '1' }), ageing(1, 1, { sequence: 1, state: 'going_on' }), ageing(1, 2, { class: 'no JSON' }), ageing(100, 3, { class: '1' })];
    expect(await Promise.all(items.map(async (item) => follower.isSent?.(item)))).toEqual([true, false, false, false]);
  });

  it.each([
    ['no JSON', '{"class": {{ event.class }} }', /makes no JSON of it/],
    ['no end', '{% for a in (1..100000) %}{% for b in (1..100000) %}{% assign c = a | times: b %}{% endfor %}{% endfor %}', /makes nothing of it: .*limit exceeded/],
    ['too much', `"{% for a in (1..1001) %}${'0123456789'.repeat(100)}{% endfor %}"`, /more than 1000000 characters/],
  ])('that has %s refuses the item, not its neighbours', async (_name, body, why) => {
    const template = `{% if event.class == "odd" %}${body}{% else %}{"a": 1}{% endif %}`;
    const refused = await follow({ template }).deliver([eventItem(1), eventItem(2, { class: 'odd' }), eventItem(3)], never);
    expect(refused).toEqual([{ item: eventItem(2, { class: 'odd' }), reason: expect.stringMatching(why) as unknown }]);
    expect(hook.requests).toHaveLength(2);
  });

  it('reaches nothing but its values', async () => {
    const template = '{"a": "{{ event.constructor.name }}{{ event.class.constructor }}{{ event.__proto__ }}{{ process.env.PATH }}{{ globalThis }}"}';
    await follow({ template }).deliver([eventItem(1)], never);
    expect(bodies()).toEqual([{ a: '' }]);
  });
});
