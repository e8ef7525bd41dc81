/** The built-in model folders as files: manifests, pins, lock files, and what models/README.md says of them. */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/lib/package.ts';
import { readCatalog } from '../../src/models/catalog.ts';
import { nodeHarness } from '../../src/runner/harness.ts';
import { startRunner } from '../../src/runner/start.ts';

const folder = join(packageRoot, 'models');
const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
const catalog = await readCatalog({ folders: [{ path: folder, origin: 'built-in' }], project: null, data_dir: tmpdir() });
const read = (...path: readonly string[]): string => readFileSync(join(folder, ...path), 'utf8');

describe.each(names)('the built-in model %s', (name) => {
  it('has a manifest without faults and a program that is there', async () => {
    const model = await catalog.get(name);
    expect(readFileSync(model.entry, 'utf8')).not.toBe('');
    expect(model.version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('is whole in itself: a copy among the models of a user has its program, and no code of it leads out of the folder', async () => {
    const user = copied(name);
    const model = await (await readCatalog({ folders: [{ path: user, origin: 'user' }], project: null, data_dir: tmpdir(), offline: true })).get(name);
    expect(readFileSync(model.entry, 'utf8')).not.toBe('');
    const code = readdirSync(join(user, name), { recursive: true, encoding: 'utf8' }).filter((file) => /\.(mjs|py)$/.test(file));
    expect(code.filter((file) => readFileSync(join(user, name, file), 'utf8').includes('../'))).toEqual([]);
  });

  it('stands in the README', () => {
    expect(read('README.md')).toContain(`\`${name}\``);
  });
});

/** A folder of models that holds a copy of this one alone. */
function copied(name: string): string {
  const user = mkdtempSync(join(tmpdir(), 'lookout-copied-'));
  onTestFinished(() => { rmSync(user, { recursive: true }); });
  cpSync(join(folder, name), join(user, name), { recursive: true });
  return user;
}

it('starts motion where it was copied to', async () => {
  const place = join(copied('motion'), 'motion');
  const words = nodeHarness(process.execPath, join(place, 'motion.mjs'), { name: 'motion', folder: place, weights_folders: [], work_folder: place, options: {} });
  const runner = await startRunner({ ...words, cwd: place, env: {} }, { model: 'motion', start_deadline_ms: 20_000, onLog: () => undefined }, new AbortController().signal);
  await runner.close();
  expect(runner.ready.detector).toBe('frame difference');
});

it('pins every npm package and names no place to get it from', () => {
  const { dependencies } = JSON.parse(read('animals', 'package.json')) as { dependencies: Readonly<Record<string, string>> };
  for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  const { packages } = JSON.parse(read('animals', 'package-lock.json')) as { packages: Readonly<Record<string, { resolved?: string; version: string; integrity?: string }>> };
  expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  for (const [name, version] of Object.entries(dependencies)) expect(packages[`node_modules/${name}`]).toMatchObject({ version, integrity: expect.any(String) as string });
});

it('shares one list of Python packages among the models that use it, so that they pin alike', () => {
  const lists = ['yolo_v8', 'potholes', 'garbage'].map((name) => read(name, 'requirements.txt'));
  expect(new Set(lists).size).toBe(1);
});
