import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { asUser } from '../../src/lib/account.ts';
import { mayRunAsNobody, NOBODY } from '../helpers/nobody.ts';
import { leashed, leashedFfmpeg, setLast } from '../../src/lib/leash.ts';
import { alive } from '../runner/fixtures.ts';

const IS_LINUX = process.platform === 'linux';
const { file: leash } = leashed('sleep', []);
/** Starts `sleep` on a leash, says its pid, and stays. */
const PARENT = `
  const [file, ...words] = [...JSON.parse(process.env.UNDER), process.env.LEASH, String(process.pid), '/bin/sleep', '60'];
  const child = require('node:child_process').spawn(file, words, { stdio: 'ignore' });
  console.log(child.pid);
  setInterval(() => undefined, 1000);
`;

/** A parent in whose environment only these programs are found; the pids of it and of its leashed child. `under` starts the leash. */
async function family(path: string, under: readonly string[] = []): Promise<{ readonly parent: number; readonly child: number }> {
  const parent = spawn(process.execPath, ['-e', PARENT], { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: path, LEASH: leash, UNDER: JSON.stringify(under) } });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const child = Number(line.toString());
  onTestFinished(() => {
    if (alive(child)) process.kill(child, 'SIGKILL');
  });
  return { parent: parent.pid ?? 0, child };
}

/** A folder with `sleep` and nothing else. */
async function onlySleep(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-leash-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await symlink('/bin/sleep', join(folder, 'sleep'));
  return folder;
}

/** The same with a setpriv that does not know the option, such as BusyBox's. */
async function oldSetpriv(): Promise<string> {
  const folder = await onlySleep();
  await writeFile(join(folder, 'setpriv'), '#!/bin/sh\necho "setpriv: unrecognized option: $1" >&2\nexit 1\n', { mode: 0o755 });
  return folder;
}

describe('a command on a leash', () => {
  it.each([
    ['by the kernel', () => Promise.resolve(process.env['PATH'] ?? '')],
    ['by a watcher where setpriv is missing', onlySleep],
    ['by a watcher where setpriv is too old', oldSetpriv],
  ])('is ended %s when its parent is killed', async (_how, path) => {
    const { parent, child } = await family(await path());
    expect(alive(child)).toBe(true);
    process.kill(parent, 'SIGKILL');
    await expect.poll(() => alive(child), { timeout: 10_000 }).toBe(false);
  });

  it.skipIf(!IS_LINUX)('is watched at next to no cost where no program is found, as another user than its parent where that may be', async () => {
    const under = mayRunAsNobody ? asUser({ name: 'nobody', uid: NOBODY, gid: NOBODY, home: '/' }).with(0, '/usr/bin/setpriv') : [];
    const { parent, child } = await family('/nonexistent', under);
    await delay(1500);
    expect(alive(child)).toBe(true);
    const watcher = (await readFile(`/proc/${child}/task/${child}/children`, 'utf8')).trim();
    const [user, system] = (await readFile(`/proc/${watcher}/stat`, 'utf8')).split(' ').slice(13);
    // In hundredths of a second.
    expect(Number(user) + Number(system)).toBeLessThan(20);
    process.kill(parent, 'SIGKILL');
    await expect.poll(() => alive(child), { timeout: 10_000 }).toBe(false);
  });

  it.each([
    ['setpriv', () => Promise.resolve(process.env['PATH'] ?? '')],
    ['a watcher', onlySleep],
  ])('is not run for a parent that has gone already (%s)', async (_holder, path) => {
    const gone = spawn('true');
    await once(gone, 'exit');
    const child = spawn(leash, [String(gone.pid), 'sleep', '60'], { stdio: 'ignore', env: { PATH: await path() } });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal ?? code).toBeOneOf([1, 'SIGKILL']);
  });

  it.skipIf(!IS_LINUX).each<[string, readonly string[]]>([
    ['', []],
    ...(mayRunAsNobody ? [[', also as another user', asUser({ name: 'nobody', uid: NOBODY, gid: NOBODY, home: '/' })] satisfies [string, readonly string[]]] : []),
  ])('is ended before its parent where memory runs out, and what it starts itself before it%s', async (_as, under) => {
    const score = '/proc/self/oom_score_adj';
    const own = Number(await readFile(score, 'utf8'));
    const [file, ...words] = [...under, leash, String(process.pid), 'sh', '-c', `cat ${score}; "$0" $$ cat ${score}; true`, leash];
    const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = (await (child.stdout.setEncoding('utf8').toArray() as Promise<string[]>)).join('').trim().split('\n').map(Number);
    const once = Math.trunc((own + 1000) / 2);
    expect(said).toEqual([once, Math.trunc((once + 1000) / 2)]);
  });

  it('runs with its words, environment and exit code as they are', async () => {
    const { file, args } = leashed('sh', ['-c', 'echo "$1" "$WORD"; exit 7', 'sh', 'a b']);
    const child = spawn(file, args, { env: { ...process.env, WORD: "it's" }, stdio: ['ignore', 'pipe', 'inherit'] });
    const said = (child.stdout.setEncoding('utf8').toArray()) as Promise<string[]>;
    const [code] = (await once(child, 'close')) as [number];
    expect([(await said).join(''), code]).toEqual(["a b it's\n", 7]);
  });

  it.each([
    ['setpriv', () => Promise.resolve(process.env['PATH'] ?? '')],
    ['a watcher', onlySleep],
  ])('has the variables of its host and, last of all, those of a manifest (%s)', async (_holder, path) => {
    const host = { PATH: await path(), parent: 'p', self: 's', later: 'l', held: 'h' };
    const manifest = { PATH: '/nonexistent', parent: "a manifest's", LD_PRELOAD: '', UID: '5', OPTIND: 'no number' };
    const child = spawn(leash, [String(process.pid), process.execPath, '-p', 'JSON.stringify(process.env)'], { env: { ...host, ...setLast(manifest) }, stdio: ['ignore', 'pipe', 'inherit'] });
    const said = JSON.parse((await (child.stdout.setEncoding('utf8').toArray() as Promise<string[]>)).join('')) as unknown;
    expect(said).toMatchObject({ ...host, PATH: '/nonexistent', parent: "a manifest's", LD_PRELOAD: '' });
    expect(said).not.toHaveProperty('LOOKOUT_LATER');
  });

  it('starts the ffmpeg that LOOKOUT_FFMPEG names', async () => {
    vi.stubEnv('LOOKOUT_FFMPEG', 'echo');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { file, args } = leashedFfmpeg(['-a', 'b c']);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    expect((await (child.stdout.setEncoding('utf8').toArray() as Promise<string[]>)).join('')).toBe('-a b c\n');
  });
});
