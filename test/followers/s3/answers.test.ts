/** What a follower of S3 makes of answers: whose fault each is, how long it waits, and what it sends again. */
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { create } from '../../../src/followers/s3.ts';
import type { S3Settings } from '../../../src/followers/s3/settings.ts';
import type { Follower, FollowerContext, Item } from '../../../src/types.ts';
import { clip, contextOf, eventItem, recordItem } from '../../contracts/follower.ts';
import { certificate, SECRET, settingsOf } from './fixtures.ts';
import { type Answer, error, silence, startStub, type Stub } from './stub.ts';

const never = new AbortController().signal;
const warnings: string[] = [];
let stub: Stub;
let follower: Follower;

function follow(given: Partial<S3Settings> = {}, more: Partial<FollowerContext<S3Settings>> = {}): Follower {
  const log = { warn: (message: string, facts?: object) => { warnings.push(`${message} ${JSON.stringify(facts)}`); }, info: () => undefined };
  return create(contextOf(settingsOf({ endpoint: stub.endpoint, key: '{id}.json', upload_pictures: false, session_token: `${SECRET}-token`, ...given }), { log, ...more }));
}

beforeEach(async () => {
  warnings.length = 0;
  stub = await startStub();
  follower = follow();
});
afterEach(async () => {
  await follower.close();
  await stub.close();
});

const records = (count: number): readonly Item[] => Array.from({ length: count }, (_, number) => recordItem(number));
const keyOf = ({ id }: Item): string => `${id}.json`;
const failureOf = (items: readonly Item[] = records(1)): Promise<unknown> => follower.deliver(items, never).then((refused) => ({ refused }), (failure: unknown) => failure);
const puts = (): readonly string[] => stub.asked.filter((one) => one.startsWith('PUT ')).map((one) => one.slice('PUT '.length));

describe('an answer that is the target\'s fault', () => {
  const html: Answer = (response) => { response.end('<html>Welcome to the Wi-Fi</html>'); };
  const text = (status: number): Answer => (response) => { response.writeHead(status).end('no'); };

  const endless: Answer = (response) => {
    const more = (): void => {
      while (response.write('<a>x</a>'.repeat(1000)));
      response.once('drain', more);
    };
    response.writeHead(200, { etag: '"e"' });
    more();
  };

  it.each<[string, Answer, RegExp]>([
    ['a token that has expired', error(400, 'ExpiredToken'), /the session token has expired/],
    ['another region', error(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-central-1' }), /lies in the region eu-central-1; set region/],
    ['another region in the signature', error(400, 'AuthorizationHeaderMalformed', { 'x-amz-bucket-region': 'eu-north-1' }), /eu-north-1/],
    ['a bucket that is gone', error(404, 'NoSuchBucket'), /there is no such bucket/],
    ['a path that is not there', text(404), /it answered 404/],
    ['a refusal', error(403, 'AccessDenied'), /the key may not do this there: AccessDenied, Some words/],
    ['a fault of its own', error(500, 'InternalError'), /InternalError/],
    ['a gateway without its server', text(502), /it answered 502/],
    ['a page that is answered to everything', html, /not as S3 does/],
    ['a storage class that it does not have', error(400, 'InvalidStorageClass'), /InvalidStorageClass/],
    ['a bad request without words', text(400), /it answered 400/],
    ['a long one', (response) => { response.writeHead(503).end('<a>x</a>'.repeat(2 ** 20)); }, /answers 503, but not as S3 does: with more than 64 kB/],
    ['one that never ends', endless, /answers 200, but not as S3 does: with more than 64 kB/],
    ['a line that breaks', (response) => { response.destroy(); }, /socket hang up/],
  ])('is %s', async (_what, answer, words) => {
    stub.answer = () => answer;
    const failure = await failureOf();
    expect(failure).toMatchObject({ code: 'target_away', message: expect.stringMatching(words) as unknown });
    expect(String(failure)).toContain(`s3://findings at ${stub.endpoint}`);
    expect(inspect(failure, { showHidden: true, depth: 20 })).not.toContain(SECRET);
  });

  it.each([['a number', 120, String], ['a time', 60, (seconds: number) => new Date(Date.now() + 1000 * seconds).toUTCString()]])('says when to come again, where that is %s', async (_what, seconds, header) => {
    stub.answer = () => error(503, 'SlowDown', { 'retry-after': header(seconds) });
    const failure = await failureOf();
    expect(failure).toMatchObject({ code: 'target_away' });
    const { retry_after_seconds: after } = (failure as { details: { retry_after_seconds: number } }).details;
    expect(Math.abs(after - seconds)).toBeLessThanOrEqual(2);
    expect(puts()).toHaveLength(1);
  });

  it('is forgiven once, at once, where that may help', async () => {
    let left = 1;
    stub.answer = () => (left-- > 0 ? error(503, 'SlowDown') : undefined);
    expect(await failureOf()).toEqual({ refused: [] });
    stub.answer = () => error(429, 'TooManyRequests');
    expect(await failureOf()).toMatchObject({ code: 'target_away' });
    expect(stub.asked).toHaveLength(3);
  });

  it('is a certificate that nobody vouches for', async () => {
    const secure = await startStub(certificate());
    const other = follow({ endpoint: secure.endpoint });
    await expect(other.deliver(records(1), never)).rejects.toMatchObject({ code: 'target_away', message: expect.stringMatching(/self.signed/) as unknown });
    expect(secure.asked).toEqual([]);
    await other.close();
    await secure.close();
  });

  it('repeats no secret that an answer repeats', async () => {
    stub.answer = () => error(403, `Denied-${SECRET}`);
    expect(String(await failureOf())).toMatch(/\*\*\*/);
  });
});

describe('an answer that is the item\'s fault', () => {
  it.each([[413, 'EntityTooLarge'], [400, 'EntityTooLarge'], [400, 'KeyTooLongError'], [400, 'InvalidArgument'], [422, 'Odd']])('%s %s sets it aside, and the others arrive', async (status, code) => {
    const items = records(20);
    const bad = items[7] as Item;
    stub.answer = ({ key }) => (key === keyOf(bad) ? error(status, code) : undefined);
    expect(await follower.deliver(items, never)).toEqual([{ item: bad, reason: expect.stringContaining(code) as unknown }]);
    expect(new Set(puts().filter((key) => !key.startsWith('lookout-test')))).toEqual(new Set(items.map(keyOf)));
  });

  it('repeats no secret that it repeats, nor the beginning of one', async () => {
    stub.answer = ({ request }) => error(413, `Odd-${'x'.repeat(280)}-${String(request.headers['x-amz-security-token'])}`);
    const refused = await follower.deliver(records(1), never);
    expect(refused).toEqual([{ item: recordItem(0), reason: expect.stringContaining('***') as unknown }]);
    expect(JSON.stringify(refused)).not.toContain(SECRET.slice(0, 10));
  });

  it('is no reason to hold back the JSON, where it is the picture', async () => {
    follower = follow({ upload_pictures: true });
    stub.answer = ({ key }) => (key.endsWith('.jpg') ? error(400, 'EntityTooLarge') : undefined);
    expect(await failureOf()).toEqual({ refused: [] });
    expect(puts()).toContain(keyOf(recordItem(0)));
    expect(warnings).toEqual([expect.stringMatching(/^a picture is not uploaded.*EntityTooLarge/)]);
  });
});

describe('a clock that is off', () => {
  const MINUTES = 60_000;
  /** As S3 does: more than 15 minutes are too much. */
  const ahead = (ms: number): Stub['answer'] => ({ request }) => {
    const [, ...digits] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(request.headers['x-amz-date'])) ?? [];
    const [year = 0, month = 0, ...rest] = digits.map(Number);
    const date = new Date(Date.now() + ms).toUTCString();
    if (Math.abs(Date.UTC(year, month - 1, ...rest) - Date.now() - ms) > 15 * MINUTES) return error(403, 'RequestTimeTooSkewed', { date });
    return (response) => { response.writeHead(200, { etag: '"e"', date }).end(); };
  };

  it('is set by the target\'s, and told', async () => {
    stub.answer = ahead(40 * MINUTES);
    expect(await failureOf(records(20))).toEqual({ refused: [] });
    expect(warnings).toEqual([expect.stringMatching(/clock.*40 minutes/)]);
    expect(await follower.test(never)).toMatch(/this machine's clock is off by 40 minutes/);
  });

  it('is said to be where the target insists', async () => {
    stub.answer = () => error(403, 'RequestTimeTooSkewed', { date: new Date(Date.now() - 30 * MINUTES).toUTCString() });
    expect(await failureOf()).toMatchObject({ code: 'target_away', message: expect.stringContaining('this machine\'s clock is off by 30 minutes') as unknown });
  });
});

describe('silence', () => {
  it('is a failure after timeout_seconds', async () => {
    follower = follow({ timeout_seconds: 1 });
    stub.answer = () => silence;
    const begun = Date.now();
    expect(await failureOf(records(20))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/did not answer within 2 s|timed out after 1000 ms/) as unknown });
    expect(Date.now() - begun).toBeLessThan(4000);
  });

  it('ends at once when the delivery, or the test, is given up', async () => {
    stub.answer = () => silence;
    for (const call of [(signal: AbortSignal) => follower.deliver(records(20), signal), (signal: AbortSignal) => follower.test(signal)]) {
      const begun = Date.now();
      await expect(call(AbortSignal.timeout(200))).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(Date.now() - begun).toBeLessThan(1000);
    }
  });

  it('meets a clip of which little more was read than the part that waits', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-s3-'));
    const file = join(folder, 'large.mp4');
    await writeFile(file, '');
    await truncate(file, 512 * 2 ** 20);
    follower = follow({}, { clip: () => file });
    stub.answer = ({ query }) => (query.has('partNumber') ? silence : undefined);
    const before = process.memoryUsage().arrayBuffers;
    await expect(follower.deliver([eventItem(1, { clip })], AbortSignal.timeout(1000))).rejects.toBeDefined();
    expect((process.memoryUsage().arrayBuffers - before) / 2 ** 20).toBeLessThan(64);
    expect(stub.asked.filter((one) => one.startsWith('PUT'))).toHaveLength(1);
    await follower.close();
    // Its parts are taken back.
    expect(stub.asked.at(-1)).toMatch(/^DELETE .*\.mp4$/);
    await rm(folder, { recursive: true });
  });
});

describe('a call', () => {
  it('has eight items on their way at once', async () => {
    const held: (() => void)[] = [];
    // None is answered before eight wait, and a ninth has had time to come.
    stub.answer = () => (response) => {
      held.push(() => response.writeHead(200, { etag: '"e"' }).end());
      if (held.length === 8) setTimeout(() => { for (const answer of held.splice(0)) answer(); }, 50);
    };
    await follower.deliver(records(40), never);
    expect(stub.most()).toBe(8);
    expect(puts()).toHaveLength(40);
  });

  it('that failed does not send again what it had brought there', async () => {
    const items = records(20);
    const last = keyOf(items[19] as Item);
    stub.answer = ({ key }) => (key === last ? error(403, 'AccessDenied') : undefined);
    expect(await failureOf(items)).toMatchObject({ code: 'target_away' });
    stub.answer = () => undefined;
    expect(await follower.deliver(items, never)).toEqual([]);
    expect(puts()).toHaveLength(21);
    // One that succeeded does: whoever goes back to the beginning wants all of it.
    await follower.deliver(items, never);
    expect(puts()).toHaveLength(41);
  });

  it('asks which entry of an event lies there where it may be another\'s, and writes where it is not told', async () => {
    stub.answer = ({ method }) => (method === 'HEAD' ? error(403, 'AccessDenied') : undefined);
    const going = eventItem(2, { sequence: 1, state: 'going_on' });
    for (const item of [eventItem(1), going, going, { ...eventItem(3), asked: true as const }]) expect(await follower.deliver([item], never)).toEqual([]);
    expect(stub.asked.map((one) => one.replace(/ .*(\d)\.json$/, ' $1'))).toEqual(['PUT 1', 'HEAD 2', 'PUT 2', 'PUT 2', 'HEAD 3', 'PUT 3']);
  });

  it('writes no entry over what it could not ask about for now', async () => {
    stub.answer = ({ method }) => (method === 'HEAD' ? error(503, 'SlowDown') : undefined);
    expect(await failureOf([{ ...eventItem(3), asked: true as const }])).toMatchObject({ code: 'target_away' });
    expect(puts()).toEqual([]);
  });

  it('brings the picture before the JSON', async () => {
    follower = follow({ upload_pictures: true });
    await follower.deliver(records(1), never);
    expect(puts()).toEqual([`${recordItem(0).id}.jpg`, `${recordItem(0).id}.json`]);
  });
});

it('sends no checksum that only Amazon\'s own servers know', async () => {
  const headers: string[] = [];
  stub.answer = ({ request }) => {
    headers.push(...Object.keys(request.headers));
    return undefined;
  };
  await follower.deliver(records(1), never);
  await follower.test(never);
  expect(headers.filter((name) => /checksum|crc32|trailer/.test(name))).toEqual([]);
});

it('says of a test that what it wrote could not be removed', async () => {
  stub.answer = ({ method }) => (method === 'DELETE' ? error(403, 'AccessDenied') : undefined);
  expect(await follower.test(never)).toContain('writing is allowed, deleting is not, so lookout-test stays there');
});
