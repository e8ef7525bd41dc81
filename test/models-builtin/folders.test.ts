/** The built-in model folders as files: manifests, pins, lock files, and what models/README.md says of them. */
import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/lib/package.ts';
import { readCatalog } from '../../src/models/catalog.ts';

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

  it('stands in the README', () => {
    expect(read('README.md')).toContain(`\`${name}\``);
  });
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
