import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLog } from '../../src/lib/log.ts';
import { createViews } from '../../src/store/views.ts';
import { testFolder } from './folder.ts';

const folder = testFolder();

async function pictures(): Promise<readonly string[]> {
  const keys = ['A_1/A_x.jpg', 'A_1/A_y.jpg', 'B_1/A_x.jpg'];
  for (const key of keys) {
    await mkdir(join(folder.path, key, '..'), { recursive: true });
    await writeFile(join(folder.path, key), key);
  }
  return keys;
}

it('shows pictures under names of their own for a call, whatever is done to them', async () => {
  const views = await createViews(folder.path, silentLog);
  const keys = await pictures();
  const view = await views.open([...keys, 'A_1/gone.jpg']);
  expect(await Promise.all(view.files.slice(0, 3).map((file) => readFile(file ?? '', 'utf8')))).toEqual(keys);
  expect(view.files[3]).toBeNull();
  const [first = '', second = ''] = view.files.map((file) => file ?? '');
  // Only root may write to it elsewhere.
  await truncate(first).catch(() => undefined);
  await rm(second);
  expect(await Promise.all(keys.map((key) => readFile(join(folder.path, key), 'utf8')))).toEqual(keys);
  await view.close();
  expect(await readdir(join(folder.path, '.views'))).toEqual([]);
  await views.close();
  expect(await readdir(folder.path)).not.toContain('.views');
});

it('keeps a picture for its call that leaves the spool meanwhile', async () => {
  const views = await createViews(folder.path, silentLog);
  const [key = ''] = await pictures();
  const { files: [file] } = await views.open([key]);
  await rm(join(folder.path, key));
  expect(await readFile(file ?? '', 'utf8')).toBe(key);
});

it('sweeps what a killed run left', async () => {
  await mkdir(join(folder.path, '.views/old/A_1'), { recursive: true });
  await createViews(folder.path, silentLog);
  await expect(stat(join(folder.path, '.views'))).rejects.toThrow('ENOENT');
});

it('shows pictures as they are where no room is left for views', async () => {
  const views = await createViews(folder.path, silentLog);
  const keys = await pictures();
  await writeFile(join(folder.path, '.views'), 'in the way');
  const view = await views.open([...keys, 'A_1/gone.jpg']);
  expect(view.files).toEqual([...keys.map((key) => join(folder.path, key)), null]);
  await view.close();
  expect(await Promise.all(keys.map((key) => readFile(join(folder.path, key), 'utf8')))).toEqual(keys);
});
