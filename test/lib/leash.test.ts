import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { leashed, leashedFfmpeg } from '../../src/lib/leash.ts';
import { alive } from '../runner/fixtures.ts';

const { file: leash } = leashed('sleep', []);
/** Starts `sleep` on a leash, says its pid, and stays. */
const PARENT = `
  const child = require('node:child_process').spawn(process.env.LEASH, [String(process.pid), 'sleep', '60'], { stdio: 'ignore' });
  console.log(child.pid);
  setInterval(() => undefined, 1000);
`;

/** A parent in whose environment only these programs are found; the pids of it and of its leashed child. */
async function family(path: string): Promise<{ readonly parent: number; readonly child: number }> {
  const parent = spawn(process.execPath, ['-e', PARENT], { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: path, LEASH: leash } });
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

  it('runs with its words, environment and exit code as they are', async () => {
    const { file, args } = leashed('sh', ['-c', 'echo "$1" "$WORD"; exit 7', 'sh', 'a b']);
    const child = spawn(file, args, { env: { ...process.env, WORD: "it's" }, stdio: ['ignore', 'pipe', 'inherit'] });
    const said = (child.stdout.setEncoding('utf8').toArray()) as Promise<string[]>;
    const [code] = (await once(child, 'close')) as [number];
    expect([(await said).join(''), code]).toEqual(["a b it's\n", 7]);
  });

  it('starts the ffmpeg that LOOKOUT_FFMPEG names', async () => {
    vi.stubEnv('LOOKOUT_FFMPEG', 'echo');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { file, args } = leashedFfmpeg(['-a', 'b c']);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    expect((await (child.stdout.setEncoding('utf8').toArray() as Promise<string[]>)).join('')).toBe('-a b c\n');
  });
});
