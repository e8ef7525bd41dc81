/** The token that Lookout makes where others come in and nobody set one. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessInWords, provideAccess, type Access } from '../../src/http/access.ts';
import { createLog } from '../../src/lib/log.ts';
import { startServer } from '../helpers/server-process.ts';
import { mayBecomeNobody, NOBODY } from '../helpers/nobody.ts';

let folder: string;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-access-'));
  lines = [];
});

afterEach(() => rm(folder, { recursive: true }));

const provide = (settings: { host?: string; runner_user?: string; token?: string; insecure?: boolean; allowed_hosts?: string[] } = {}): Promise<Access> =>
  provideAccess({ host: '0.0.0.0', runner_user: null, token: null, insecure: false, allowed_hosts: [], data_dir: folder, ...settings }, createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) }));

it('is of chance, kept for its owner alone, and the same from then on', async () => {
  const first = await provide();
  expect(first).toEqual({ token: expect.stringMatching(/^[\w-]{43}$/) as string, file: join(folder, 'token'), isNew: true });
  expect((await stat(join(folder, 'token'))).mode & 0o777).toBe(0o600);
  await chmod(join(folder, 'token'), 0o644);
  expect(await provide({ host: '192.0.2.1' })).toEqual({ ...first, isNew: false });
  expect((await stat(join(folder, 'token'))).mode & 0o777).toBe(0o600);
  await rm(join(folder, 'token'));
  expect((await provide()).token).not.toBe(first.token);
});

it('is made as well for models of another user, who ask from this machine, and missed where none is asked for', async () => {
  const own = { host: '127.0.0.1', runner_user: 'models' };
  expect(await provide(own)).toMatchObject({ file: join(folder, 'token'), isNew: true });
  expect([(await provide({ ...own, insecure: true })).token, lines]).toEqual([null, [expect.stringContaining('models, which run as models, may ask for every record')]]);
});

it.skipIf(!mayBecomeNobody)('may be a file that root has placed, with a warning (needs root, and a Node that may change its user)', async () => {
  await writeFile(join(folder, 'token'), 'sixteen-characters-of-root\n');
  await chmod(folder, 0o755);
  process.seteuid?.(NOBODY);
  try {
    expect(await provide()).toEqual({ token: 'sixteen-characters-of-root', file: join(folder, 'token'), isNew: false });
  } finally {
    process.seteuid?.(0);
  }
  expect(lines).toEqual([expect.stringContaining(`${join(folder, 'token')} is another user's to change`)]);
});

it('is shown once, and on a terminal only', async () => {
  const first = await provide();
  const again = await provide();
  const shows = (access: Access, isTerminal: boolean): boolean => accessInWords(access, isTerminal).join('\n').includes(first.token ?? '');
  expect([shows(first, true), shows(first, false), shows(again, true)]).toEqual([true, false, false]);
  for (const access of [first, again]) expect(accessInWords(access, false).join()).toContain(join(folder, 'token'));
  expect(lines).toEqual([]);
});

it.each([{ host: '127.0.0.1' }, { host: '[::1]' }, { host: 'localhost' }, { insecure: true }, { token: 'sixteen or longer' }])('is not made for %j', async (settings) => {
  const access = await provide(settings);
  expect(access).toEqual({ token: settings.token ?? null, file: null, isNew: false });
  expect([accessInWords(access, true), await readdir(folder), lines]).toEqual([[], [], []]);
});

it('is warned of once where it is so short that it can be guessed', async () => {
  expect((await provide({ token: '15 characters !', host: '127.0.0.1' })).token).toBe('15 characters !');
  expect(lines).toEqual([expect.stringContaining('the token has 15 characters and can be guessed; give it at least 16')]);
});

it.each([
  [{ host: '127.0.0.1' }, true], [{ insecure: true }, true], [{ host: '127.0.0.1', token: 'sixteen or longer' }, false], [{}, false],
])('is missed where browsers may call by a name and none is asked for: %j', async (settings, expected) => {
  await provide({ ...settings, allowed_hosts: ['cams.example'] });
  expect(lines.map((line) => line.includes('allowed_hosts names cams.example, and no token is asked for'))).toEqual(expected ? [true] : []);
});

describe('a file that holds no token', () => {
  it.each(['', 'short', 'two words that are long enough', '\0'.repeat(44)])('is put aside, and another one is made: %j', async (text) => {
    await writeFile(join(folder, 'token'), text);
    const { token, isNew } = await provide();
    expect([isNew, token?.length]).toEqual([true, 43]);
    const aside = (await readdir(folder)).find((name) => name.startsWith('token.damaged-')) ?? '';
    expect(await readFile(join(folder, aside), 'utf8')).toBe(text);
    expect(lines).toEqual([expect.stringContaining(join(folder, aside))]);
  });

  it('may be a folder', async () => {
    await mkdir(join(folder, 'token'));
    expect((await provide()).isNew).toBe(true);
  });
});

it('is asked for by a server that other machines reach, whose output does not hold it', async () => {
  const flags = ['--host', '0.0.0.0', '--offline'];
  const tokens: string[] = [];
  for (let run = 0; run < 2; run += 1) {
    const server = await startServer({ folder, flags });
    try {
      const token = (await readFile(join(folder, 'data', 'token'), 'utf8')).trim();
      tokens.push(token);
      const ask = async (headers: Record<string, string>): Promise<number> => (await fetch(`${server.url}/api/streams`, { headers })).status;
      expect([await ask({}), await ask({ Authorization: `Bearer ${token}` })]).toEqual([401, 200]);
      expect(server.output()).toContain(`must send the token in ${join(folder, 'data', 'token')}`);
      expect(server.output()).not.toContain(token);
    } finally {
      await server.stop();
    }
  }
  expect(tokens[0]).toBe(tokens[1]);
});
