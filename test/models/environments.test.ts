import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { markUsed, provideEnvironment, type EnvironmentFacts, type Recipe } from '../../src/models/environments.ts';
import { listen, never, temporaryFolder, writeTree } from './fixtures.ts';

const DAY_MS = 24 * 3_600_000;

/** A recipe that makes one file, slowly enough that another caller comes in between. */
function recipe(fingerprint: string, change: Partial<Recipe> = {}): Recipe & { readonly built: string[] } {
  const built: string[] = [];
  return {
    model: 'sample',
    fingerprint,
    built,
    build: async (folder, { step, output }) => {
      output('GET https://registry.example/a');
      step(`building in a folder of ${(await readdir(folder)).join()}`);
      await delay(50);
      await writeFile(join(folder, 'interpreter'), '');
      built.push(folder);
      return { tools: { tool: '1.0' }, packages: ['a==1'] };
    },
    works: (folder) => readFile(join(folder, 'interpreter')).then(() => true, () => false),
    ...change,
  };
}

test('seals what it built and finds it again', async () => {
  const data = await temporaryFolder();
  const plan = recipe('f1');
  const { lines, tell } = listen();
  const folder = await provideEnvironment(data, plan, tell, never);
  expect(folder).toBe(join(data, 'runtimes/sample/f1'));
  const facts = JSON.parse(await readFile(join(folder, 'environment.json'), 'utf8')) as EnvironmentFacts;
  expect(facts).toMatchObject({ fingerprint: 'f1', model: 'sample', tools: { tool: '1.0' }, packages: ['a==1'], log: 'build.log' });
  expect(await readFile(join(folder, facts.log), 'utf8')).toBe('GET https://registry.example/a\nbuilding in a folder of build.log\n');
  expect(lines).toEqual(['building in a folder of build.log', expect.stringMatching(/^the environment is ready after [\d.]+ s: 1 package, 0\.0 MB$/)]);

  expect(await provideEnvironment(data, plan, tell, never)).toBe(folder);
  expect(plan.built).toHaveLength(1);
});

test('builds where its log cannot be written', async () => {
  const data = await temporaryFolder();
  const plan = recipe('f1', { build: async (folder, { output }) => {
    await rm(join(folder, 'build.log'));
    await mkdir(join(folder, 'build.log'));
    for (const line of ['one', 'two']) output(line);
    // Long enough for the failure to be nobody's.
    await delay(50);
    await writeFile(join(folder, 'interpreter'), '');
    return { tools: {}, packages: [] };
  } });
  await expect(provideEnvironment(data, plan, () => undefined, never)).resolves.toContain('f1');
});

test('keeps what it built where its size cannot be told', async () => {
  const data = await temporaryFolder();
  onTestFinished(() => { execFileSync('rm', ['-rf', join(data, 'runtimes')]); });
  const plan = recipe('f1', { build: async (folder) => {
    // Deeper than a path may be long.
    const deep = join(...Array.from({ length: 9 }, () => 'd'.repeat(250)));
    for (const name of ['upper', 'lower']) await mkdir(join(folder, name, deep), { recursive: true });
    await rename(join(folder, 'lower'), join(folder, 'upper', deep, 'lower'));
    await writeFile(join(folder, 'interpreter'), '');
    return { tools: {}, packages: [] };
  } });
  const { lines, tell } = listen();
  const folder = await provideEnvironment(data, plan, tell, never);
  expect(await readdir(folder)).toContain('environment.json');
  expect(lines).toEqual([expect.stringMatching(/^the environment is ready after [\d.]+ s: 0 packages$/)]);
});

test('seals only what is on the disk', async () => {
  const root = await temporaryFolder();
  const folder = join(root, 'runtimes/sample/f1');
  // One that knows no -f.
  await writeTree(root, { 'bin/sync': `#!/bin/sh\necho "$*: $(ls ${folder} | xargs)" >> ${root}/synced\ntest $# -eq 0\n` });
  await chmod(join(root, 'bin/sync'), 0o755);
  vi.stubEnv('PATH', `${join(root, 'bin')}:${process.env['PATH'] ?? ''}`);
  onTestFinished(() => { vi.unstubAllEnvs(); });
  await provideEnvironment(root, recipe('f1'), () => undefined, never);
  expect(await readFile(join(root, 'synced'), 'utf8')).toBe(`-f ${folder}: build.log interpreter\n: build.log interpreter\n`);
});

test('builds once for callers at the same time', async () => {
  const data = await temporaryFolder();
  const plan = recipe('f1');
  const folders = await Promise.all([1, 2, 3].map(() => provideEnvironment(data, plan, () => undefined, never)));
  expect(new Set(folders).size).toBe(1);
  expect(plan.built).toHaveLength(1);
});

test('builds anew in place what has no seal, half a seal, or does not work any more', async () => {
  const data = await temporaryFolder();
  const folder = join(data, 'runtimes/sample/f1');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'left over'), '');
  const plan = recipe('f1');
  await provideEnvironment(data, plan, () => undefined, never);
  expect((await readdir(folder)).sort()).toEqual(['build.log', 'environment.json', 'interpreter']);

  await writeFile(join(folder, 'environment.json'), '{"finger');
  await provideEnvironment(data, plan, () => undefined, never);
  await rm(join(folder, 'interpreter'));
  await provideEnvironment(data, plan, () => undefined, never);
  expect(plan.built).toHaveLength(3);
});

test.each<[string, (seal: string) => void | Promise<void>]>([
  ['a pipe', (seal) => void execFileSync('mkfifo', [seal])],
  ['a folder', (seal) => { mkdirSync(join(seal, 'below'), { recursive: true }); }],
  ['a socket', async (seal) => {
    const server = createServer();
    server.listen(seal);
    onTestFinished(() => { server.close(); });
    await once(server, 'listening');
  }],
  ['more than a seal says', (seal) => { writeFileSync(seal, `{"fingerprint":"f1","more":"${'x'.repeat(5e6)}"}`); }],
])('builds anew where %s has taken the place of the seal', async (_what, put) => {
  const data = await temporaryFolder();
  const plan = recipe('f1');
  const folder = await provideEnvironment(data, plan, () => undefined, never);
  await rm(join(folder, 'environment.json'));
  await put(join(folder, 'environment.json'));
  await provideEnvironment(data, plan, () => undefined, AbortSignal.timeout(10_000));
  expect(plan.built).toHaveLength(2);
});

test('says why a build failed, keeps its log and nothing else, and tries again', async () => {
  const data = await temporaryFolder();
  const broken = recipe('f1', { build: async (folder, { output }) => {
    output('no matching distribution');
    await writeTree(folder, { 'lib/torch/half.so': 'gigabytes' });
    throw new Error('pip install exited with code 1');
  } });
  const log = join(data, 'runtimes/sample/f1/build.log');
  const failed = provideEnvironment(data, broken, () => undefined, never);
  await expect(failed).rejects.toMatchObject({ code: 'model_unavailable', message: `model sample: its environment could not be built: pip install exited with code 1\nEverything that was said: ${log}` });
  expect(await readFile(log, 'utf8')).toBe('no matching distribution\n');
  expect(await readdir(join(data, 'runtimes/sample/f1'))).toEqual(['build.log']);
  await expect(provideEnvironment(data, recipe('f1'), () => undefined, never)).resolves.toContain('f1');
});

test('builds for the second caller when the first gives up', async () => {
  const data = await temporaryFolder();
  const controller = new AbortController();
  const plan = recipe('f1', { build: async (_folder, _words, signal) => {
    await delay(10_000, undefined, { signal });
    throw new Error('never reached');
  } });
  const first = provideEnvironment(data, plan, () => undefined, controller.signal);
  const second = provideEnvironment(data, recipe('f1'), () => undefined, never);
  await delay(20);
  controller.abort(new Error('enough'));
  await expect(first).rejects.toThrow('enough');
  await expect(second).resolves.toContain('f1');
});

test('collects what is neither whole, nor current, nor among the last two, nor used within a week', async () => {
  const data = await temporaryFolder();
  const ages = { old: 30, older: 40, recent: 1 };
  for (const [name, days] of Object.entries(ages)) {
    const folder = await provideEnvironment(data, recipe(name), () => undefined, never);
    const used = new Date(Date.now() - days * DAY_MS);
    await utimes(join(folder, 'environment.json'), used, used);
  }
  await mkdir(join(data, 'runtimes/sample/torn'));
  const left = async (): Promise<readonly string[]> => (await readdir(join(data, 'runtimes/sample'))).sort();
  await provideEnvironment(data, recipe('now'), () => undefined, never);
  expect(await left()).toEqual(['now', 'recent']);
});

test('keeps one that somebody has worked in for long, however many were built since', async () => {
  const data = await temporaryFolder();
  const folder = await provideEnvironment(data, recipe('works'), () => undefined, never);
  await utimes(join(folder, 'environment.json'), 0, 0);
  await markUsed(data, 'sample', 'works');
  for (const name of ['broken', 'broken too', 'now']) await provideEnvironment(data, recipe(name), () => undefined, never);
  expect(await readdir(join(data, 'runtimes/sample'))).toContain('works');
  await expect(markUsed(data, 'sample', 'gone')).resolves.toBeUndefined();
});

test('keeps the one before the current one however old it is', async () => {
  const data = await temporaryFolder();
  const folder = await provideEnvironment(data, recipe('before'), () => undefined, never);
  await utimes(join(folder, 'environment.json'), 0, 0);
  await provideEnvironment(data, recipe('now'), () => undefined, never);
  expect((await readdir(join(data, 'runtimes/sample'))).sort()).toEqual(['before', 'now']);
});

test('is content with what it built when something old cannot be removed', async () => {
  const data = await writeTree(await temporaryFolder(), { 'runtimes/sample/notes.txt': 'a file of somebody\'s' });
  await mkdir(join(data, 'runtimes/sample/torn'));
  const { tell, count } = listen();
  await provideEnvironment(data, recipe('now'), tell, never);
  expect(count('notes.txt cannot be removed')).toBe(1);
  expect((await readdir(join(data, 'runtimes/sample'))).sort()).toEqual(['notes.txt', 'now']);
});
