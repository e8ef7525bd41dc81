import { createHash } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { createCameraKeys } from '../../src/store/camera-keys.ts';
import { testFolder } from './folder.ts';

const folder = testFolder();
const file = async (): Promise<string> => join(folder.path, 'camera-keys', (await readdir(join(folder.path, 'camera-keys')))[0] ?? '');

afterEach(() => { vi.restoreAllMocks(); });

it('a key is its camera\'s alone, and is kept as its hash, for the owner to read', async () => {
  const keys = createCameraKeys(folder.path);
  expect(await keys.isRight('CAM 1', '')).toBe(false);
  const key = await keys.make('CAM 1');
  expect(Buffer.from(key, 'base64url')).toHaveLength(32);
  expect([await keys.isRight('CAM 1', key), await keys.isRight('CAM 1', `${key}x`), await keys.isRight('CAM-2', key), await keys.isRight('cam 1', key)]).toEqual([true, false, false, false]);
  const stored = await readFile(await file(), 'utf8');
  expect(stored).not.toContain(key);
  expect(JSON.parse(stored)).toMatchObject({ camera_id: 'CAM 1', sha256: createHash('sha256').update(key).digest('hex') });
  expect((await stat(await file())).mode & 0o777).toBe(0o600);
});

it('keys that are made at once are all good', async () => {
  const keys = createCameraKeys(folder.path);
  const cameras = Array.from({ length: 20 }, (_, number) => `CAM-${number}`);
  const made = await Promise.all(cameras.map((camera) => keys.make(camera)));
  expect(await Promise.all(cameras.map((camera, at) => keys.isRight(camera, made[at] ?? '')))).toEqual(cameras.map(() => true));
});

it('a new key is good at once, for a server that has read the old one, which is forgotten soon', async () => {
  const [server, command] = [createCameraKeys(folder.path), createCameraKeys(folder.path)];
  const old = await command.make('CAM');
  expect(await server.isRight('CAM', old)).toBe(true);
  const fresh = await command.make('CAM');
  expect([await server.isRight('CAM', fresh), await server.isRight('CAM', old)]).toEqual([true, false]);
  await rm(await file());
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 11_000);
  expect(await server.isRight('CAM', fresh)).toBe(false);
});

it.skipIf(process.getuid?.() !== 0)('a key that root makes is for who keeps the books, whosever the folder is (needs root)', async () => {
  await writeFile(join(folder.path, 'books.ndjson'), '');
  await chown(join(folder.path, 'books.ndjson'), 65_534, 65_533);
  await createCameraKeys(folder.path).make('CAM');
  for (const path of [join(folder.path, 'camera-keys'), await file()]) expect(await stat(path)).toMatchObject({ uid: 65_534, gid: 65_533 });
});

it('a key that cannot be read is no wrong one', async () => {
  const keys = createCameraKeys(folder.path);
  await keys.make('CAM');
  const path = await file();
  await rm(path);
  await mkdir(path);
  await expect(keys.isRight('CAM', 'any')).rejects.toMatchObject({ code: 'file_unreadable', cause: { code: 'EISDIR' } });
});

it('nobody has a key in a file that is damaged, or that was copied from another camera', async () => {
  const keys = createCameraKeys(folder.path);
  const key = await keys.make('CAM');
  const path = await file();
  const stored = await readFile(path, 'utf8');
  for (const text of ['{"camera_id": "CAM", "sha', '[]', '{"camera_id": "CAM", "sha256": "00"}', stored.replace('CAM', 'OTHER')]) {
    await writeFile(path, text);
    expect(await keys.isRight('CAM', key), text).toBe(false);
  }
});
