/** Which folders a process makes its own, and what is said where it cannot. */
import { cp, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { takeFolders, type OwnFolders } from '../../src/store/own-folders.ts';
import { testFolder } from './folder.ts';

const folder = testFolder();
const take = (data: string, frames: string): Promise<OwnFolders> =>
  takeFolders({ data_dir: join(folder.path, data), frames_dir: join(folder.path, frames) }, () => undefined, new AbortController().signal);

it('one folder that two paths lead to is taken once', async () => {
  await mkdir(join(folder.path, 'data'));
  await symlink('data', join(folder.path, 'frames'));
  const own = await take('data', 'frames');
  await own.expectOurs();
  await own.release();
});

it('a copy of a folder in use is free once its copied lock is removed, which the refusal names', async () => {
  const own = await take('data', 'frames');
  await cp(join(folder.path, 'data'), join(folder.path, 'copy'), { recursive: true, preserveTimestamps: true });
  const lock = join(folder.path, 'copy', '.lookout.lock');
  await expect(take('copy', 'others')).rejects.toMatchObject({ code: 'locked', message: expect.stringContaining(`is in use by process ${process.pid}; stop it, or use another folder; if ${join(folder.path, 'copy')} is a copy of one that is in use, remove ${lock}`) as string });
  await rm(lock, { recursive: true });
  await (await take('copy', 'others')).release();
  await own.expectOurs();
  await own.release();
});
