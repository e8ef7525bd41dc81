/** `lookout followers` against a server that runs: how they do, and what they are told to do. */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { asker } from '../../src/commands/running-server.ts';
import { eventItem } from '../contracts/follower.ts';
import { until } from '../helpers/app.ts';
import { command, type Ended } from '../helpers/command.ts';
import { startHook, type Hook } from '../helpers/hook.ts';
import { startServer, type ServerProcess } from '../helpers/server-process.ts';

const TOKEN = 'a-token-of-this-test';
let folder: string;
let hook: Hook;
let server: ServerProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-followers-'));
  hook = await startHook();
  await mkdir(join(folder, 'data'));
  // Two events of before, of which one alerts. Both have ended: the server has nothing to add as it starts.
  const ended = { state: 'ended', ended_at: '2026-01-01T00:01:00.000Z', ended_by: 'quiet' } as const;
  const lines = [eventItem(1), eventItem(1, { ...ended, sequence: 1 }), eventItem(2, { ...ended, alert: false, suppressed: 'cooldown' })].map(({ value }) => `${JSON.stringify(value)}\n`);
  await writeFile(join(folder, 'data/events.ndjson'), lines.join(''));
  await writeFile(join(folder, 'token'), `${TOKEN}\n`);
  await writeFile(join(folder, 'wrong'), 'another-token-than-it\n');
  const follower = (name: string, url: string): string => `  - {name: ${name}, type: webhook, url: "${url}", timeout_seconds: 2, max_age_seconds: null}\n`;
  await writeFile(join(folder, 'data/lookout.yaml'), `followers:\n${follower('room', hook.url)}${follower('dead', 'http://127.0.0.1:1/')}`);
  server = await startServer({ folder, env: { LOOKOUT_TOKEN_FILE: join(folder, 'token') } });
}, 60_000);

beforeEach(() => { hook.answer = (_request, response) => { response.end('ok'); }; });
afterEach(() => { hook.requests.splice(0); });

afterAll(async () => {
  await server.stop();
  await hook.stop();
  await rm(folder, { recursive: true, force: true });
});

const followers = (words: readonly string[], { url = server.url, token = 'token' } = {}): Promise<Ended> => (
  command(['followers', ...words, '--url', url, '--token-file', join(folder, token)], { folder })
);

const sent = (): readonly unknown[] => hook.requests.map(({ headers }) => headers['webhook-id']);

it('list tells how each does', async () => {
  const { code, printed } = await followers(['list']);
  expect(printed).toMatch(/^room {2}webhook {2}idle +0 behind +0 delivered +0 set aside +http:\/\/127\.0\.0\.1:\d+\ndead {2}webhook {2}idle +0 behind/);
  expect(code).toBe(0);
});

it('test reaches the target, and says where it does not', async () => {
  const reached = await followers(['test', 'room']);
  expect([reached.code, hook.requests.length]).toEqual([0, 1]);
  expect(reached.printed).toMatch(/^http:\/\/127.* took a message of the type lookout\.test\n$/);
  const dead = await followers(['test', 'dead']);
  expect(dead.code).toBe(1);
  expect(dead.output).toMatch(/answers 502: .*127\.0\.0\.1:1/);
});

it('rewind has it go on from there, and list ends with 1 where one waits', async () => {
  expect(await followers(['rewind', 'room', '--to', 'beginning'])).toMatchObject({ code: 0, printed: 'room goes on from beginning\n' });
  await until(() => sent().length > 0, 10_000, server.output);
  expect(sent()[0]).toBe(eventItem(1).id);
  expect((await followers(['rewind', 'dead', '--to', '2025-12-31T00:00:00Z'])).code).toBe(0);
  await until(async () => (await followers(['list'])).code === 1, 20_000, server.output);
  expect((await followers(['list'])).printed).toMatch(/\ndead {2}webhook {2}waiting +\d+ behind .*127\.0\.0\.1:1/);
  expect(await followers(['rewind', 'dead', '--to', 'now'])).toMatchObject({ code: 0 });
}, 60_000);

it('says how long it waited for an answer, and that what it asked for may go on', async () => {
  const mute = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const ask = asker(new URL(`http://127.0.0.1:${(mute.address() as AddressInfo).port}/`), null, AbortSignal.timeout(10_000));
  await expect(ask('x', {}, 50)).rejects.toThrow(/^no answer within 0\.05 s; what it was asked to do may still go on$/);
  await expect(ask('x', undefined, 50)).rejects.toThrow(/^no answer within 0\.05 s$/);
  mute.close();
});

it('rewind asks for a place that there is', async () => {
  expect(await followers(['rewind', 'room', '--to', 'yesterday'])).toMatchObject({ code: 2, output: expect.stringContaining('Rewind to now, to beginning, or to a time') as string });
  expect(await followers(['rewind', 'room'])).toMatchObject({ code: 2, output: expect.stringContaining('--to') as string });
});

it('retry brings what was refused once more', async () => {
  hook.answer = (_request, response) => { response.writeHead(422).end('not this one'); };
  await followers(['rewind', 'room', '--to', 'beginning']);
  await until(async () => /^room .* [1-9] set aside/.test((await followers(['list'])).printed), 20_000, server.output);
  await until(async () => /^room +\w+ +idle/.test((await followers(['list'])).printed), 20_000, server.output);
  expect(await followers(['retry', 'room'])).toMatchObject({ code: 0, printed: '0 of those that were set aside were taken\n' });
  hook.answer = (_request, response) => { response.end('ok'); };
  expect((await followers(['retry', 'room'])).printed).toMatch(/^[1-9] of those that were set aside were taken\n$/);
  expect((await followers(['list'])).printed).toMatch(/^room .* 0 set aside/);
}, 60_000);

it('names the followers that there are for another one', async () => {
  for (const words of [['test', 'nobody'], ['retry', 'nobody'], ['rewind', 'nobody', '--to', 'now']]) {
    expect(await followers(words)).toMatchObject({ code: 2, output: expect.stringContaining('No follower "nobody"; there are room, dead.') as string });
  }
});

it('is refused with a wrong token, and tells no token', async () => {
  const { code, output } = await followers(['list'], { token: 'wrong' });
  expect(code).toBe(2);
  expect(output).toMatch(/answers 401/);
  expect(output).not.toMatch(/another-token|a-token/);
});

it('shows what strangers wrote in one line, with nothing that a terminal obeys', async () => {
  const strange = 'away\u001b]0;title\u0007\nroom  idle\u009b2J';
  const status = { name: 'room', type: 'webhook', target: strange, state: 'idle', reason: strange, lag_items: 0, delivered: 0, set_aside: 0, lost: 0 };
  const other = createHttpServer(({ method }, response) => {
    if (method === 'POST') response.writeHead(502);
    response.end(JSON.stringify(method === 'POST' ? { error: strange } : { followers: [status] }));
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  expect((await followers(['list'], { url })).printed).toMatch(/^room .*away \]0;title room {2}idle 2J {2}away .*\n$/);
  expect((await followers(['test', 'room'], { url })).output).toMatch(/^lookout: .* answers 502: away \]0;title room {2}idle 2J\nwhat to try: [ -~]+\n$/);
  other.close();
});

it('says that nothing answers where nothing does', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => { other.listen(0, '127.0.0.1', resolve); });
  const { port } = other.address() as AddressInfo;
  await new Promise((resolve) => other.close(resolve));
  const { code, output } = await followers(['list'], { url: `http://127.0.0.1:${port}` });
  expect(code).toBe(1);
  expect(output).toMatch(new RegExp(`http://127\\.0\\.0\\.1:${port} does not answer: .*ECONNREFUSED`));
  expect(await followers(['list'], { url: 'localhost:5000' })).toMatchObject({ code: 2 });
});
