import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { loadFamily, type Member } from '../../src/lib/family.ts';

async function folderWith(files: Readonly<Record<string, string>>): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-family-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return pathToFileURL(`${folder}/`);
}

it('loads every program of a folder under its name, sorted, and nothing else', async () => {
  const member = (word: string): string => `export const create = (context) => context + '${word}';`;
  const folder = await folderWith({ 'b.ts': member('two'), 'a.ts': member('one'), 'README.md': 'text', 'a.d.ts': 'export {};', 'a.js': 'throw new Error()' });
  const members = await loadFamily<Member<string, string>>(folder);
  expect([...members].map(([name, { create }]) => [name, create('number ')])).toEqual([
    ['a', 'number one'], ['b', 'number two'],
  ]);
});

it('fails with the reason of a member that cannot be loaded', async () => {
  await expect(loadFamily(await folderWith({ 'broken.ts': 'throw new Error("no luck")' }))).rejects.toThrow('no luck');
});
