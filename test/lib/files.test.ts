import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceKeeping } from '../../src/lib/aside.ts';
import { accessOf, giveAccess, linkOrCopy, makeFolder, openIfPresent, readAt, removeIfPresent, writeAtomically } from '../../src/lib/files.ts';
import { isNoRoom } from '../../src/lib/transient.ts';
import { canMount, mountSmallDisk } from '../helpers/small-disk.ts';
import { mayBecomeNobody, NOBODY } from '../helpers/nobody.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('linkOrCopy', () => {
  it('replaces a file by a second name of another, and leaves nothing behind where it cannot', async () => {
    const [file, target, taken] = ['file', 'target', 'taken'].map((name) => join(folder, name)) as [string, string, string];
    await writeFile(file, 'new');
    await writeFile(target, 'old');
    for (let time = 0; time < 2; time += 1) await linkOrCopy(file, target);
    expect(await readFile(target, 'utf8')).toBe('new');
    await mkdir(join(taken, 'below'), { recursive: true });
    await expect(linkOrCopy(file, taken)).rejects.toThrow();
    expect((await readdir(folder)).sort()).toEqual(['file', 'taken', 'target']);
  });
});

describe.skipIf(process.getuid?.() !== 0)('giveAccess', () => {
  it.skipIf(!mayBecomeNobody)('keeps the group of another user\'s file for who is in it, and goes on where it may not (needs root, and a Node that may change its user)', async () => {
    const [theirs, others] = [{ mode: 0o640, uid: 12_345, gid: 23_456 }, { mode: 0o640, uid: 12_345, gid: 34_567 }];
    await chmod(folder, 0o777);
    const groups = process.getgroups?.() ?? [];
    process.setgroups?.([theirs.gid]);
    process.seteuid?.(NOBODY);
    try {
      for (const [name, access, gid] of [['a', theirs, theirs.gid], ['b', others, process.getegid?.()]] as const) {
        const handle = await open(join(folder, name), 'wx');
        await giveAccess(handle, access);
        await handle.close();
        expect(await accessOf(join(folder, name))).toMatchObject({ uid: 65_534, gid, mode: 0o100640 });
      }
    } finally {
      process.seteuid?.(0);
      process.setgroups?.(groups);
    }
  });
});

it.each([['another user\'s', 'EPERM'], ['of a user whom its namespace does not know', 'EINVAL']])('giveAccess goes on where a file cannot be given away that is %s', async (_whose, code) => {
  const handle = await open(join(folder, 'file'), 'wx');
  try {
    handle.chown = () => Promise.reject(Object.assign(new Error(code), { code }));
    await giveAccess(handle, { mode: 0o604, uid: 65_534, gid: 65_534 });
    expect((await handle.stat()).mode & 0o777).toBe(0o604);
  } finally {
    await handle.close();
  }
});

describe('writeAtomically', () => {
  it('lets those read the new file who could read the old one, unless it is told another mode', async () => {
    const file = join(folder, 'file');
    const mode = async (): Promise<number> => (await stat(file)).mode & 0o777;
    await writeFile(file, 'old');
    for (const before of [0o604, 0o660, 0o400]) {
      await chmod(file, before);
      await writeAtomically(file, 'new');
      expect(await mode()).toBe(before);
    }
    await chmod(file, 0o644);
    await writeAtomically(file, 'secret', { mode: 0o600 });
    expect(await mode()).toBe(0o600);
  });

  it('replaces a file by another one, so that who has it open keeps the old content', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'old');
    const reader = await open(file);
    try {
      await writeAtomically(file, 'new');
      expect((await reader.readFile()).toString()).toBe('old');
    } finally {
      await reader.close();
    }
    expect(await readFile(file, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('makes the file with the mode that is asked for, also over one with another', async () => {
    const file = join(folder, 'secret');
    await writeFile(file, 'old', { mode: 0o644 });
    await writeAtomically(file, 'new', { mode: 0o600 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing behind when it fails', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'old');
    await expect(writeAtomically(join(file, 'below'), 'new')).rejects.toThrow('ENOTDIR');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('lets two who write at once both succeed, one content whole', async () => {
    const file = join(folder, 'file');
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100_000));
    await Promise.all(texts.map((text) => writeAtomically(file, text)));
    expect(texts).toContain(await readFile(file, 'utf8'));
    expect(await readdir(folder)).toEqual(['file']);
  });
});

describe('replaceKeeping', () => {
  it('keeps the file as it was unless it could not be replaced: a try each second would fill the folder', async () => {
    const file = join(folder, 'a.json');
    await writeFile(file, 'damaged');
    await expect(replaceKeeping(file, () => Promise.reject(new Error('ENOSPC')))).rejects.toThrow('ENOSPC');
    expect(await readdir(folder)).toEqual(['a.json']);
    const halfWay = async (): Promise<void> => {
      await writeAtomically(file, 'mended');
      throw new Error('EIO');
    };
    await expect(replaceKeeping(file, halfWay)).rejects.toThrow('EIO');
    const [aside = ''] = await readdir(folder);
    expect([aside, await readFile(join(folder, aside), 'utf8')]).toEqual([expect.stringMatching(/^a\.damaged-.*\.json$/), 'damaged']);
  });
});

describe('makeFolder', () => {
  it('makes a folder with those that it lies in, once', async () => {
    const deep = join(folder, 'a/b/c');
    for (let time = 0; time < 2; time += 1) await makeFolder(deep);
    expect((await stat(deep)).isDirectory()).toBe(true);
  });

  it.skipIf(!canMount)('says that there is no room where there is none (needs leave to mount)', async () => {
    // Room for the root alone.
    const disk = mountSmallDisk(1, 1);
    try {
      for (const name of ['a', 'a/b']) expect(isNoRoom(await makeFolder(join(disk.folder, name)).catch((error: unknown) => error))).toBe(true);
    } finally {
      disk.unmount();
    }
  });
});

describe('the small ones', () => {
  it('open nothing and remove nothing where there is nothing', async () => {
    expect(await openIfPresent(join(folder, 'absent'), 'r')).toBeNull();
    await removeIfPresent(join(folder, 'absent'));
  });

  it('read what there is when the file ends early', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '0123456789');
    const handle = await open(file);
    try {
      expect((await readAt(handle, 7, 100)).toString()).toBe('789');
    } finally {
      await handle.close();
    }
  });
});
