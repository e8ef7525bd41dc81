import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import { describe, expect, it } from 'vitest';
import { capturedAt } from '../../src/store/names.ts';
import { createSpool, type Session, type Spool } from '../../src/store/spool.ts';
import { sampleRecord } from '../log/sample-record.ts';
import { batchOf, BEGIN, PICTURE, putFrames, testFolder } from './folder.ts';

const folder = testFolder();
const SPEC = { camera_id: 'CAM 1', models: ['motion'], options: { ...USUAL_STREAM_OPTIONS, batch_size: 3 } };

async function begin(): Promise<{ readonly spool: Spool; readonly session: Session; readonly files: () => Promise<readonly string[]> }> {
  const spool = createSpool(join(folder.path, 'frames'));
  await mkdir(spool.folder);
  const session = await spool.open(SPEC);
  return { spool, session, files: async () => (await readdir(join(spool.folder, session.name))).sort() };
}

describe('the spool', () => {
  it('opens a session in a folder that says whose frames it holds', async () => {
    const { spool, session, files } = await begin();
    expect(session).toEqual({ name: expect.stringMatching(/^CAM%201_[0-9a-f]{8}$/) as string, camera_id: 'CAM 1', models: ['motion'], options: SPEC.options });
    expect(await files()).toEqual(['session.json']);
    expect(JSON.parse(await readFile(join(spool.folder, session.name, 'session.json'), 'utf8'))).toEqual({ lookout: 1, ...session, started_at: expect.any(String) as string });
  });

  it('makes its folder when it is not there', async () => {
    const spool = createSpool(join(folder.path, 'deep/frames'));
    await expect(spool.open(SPEC)).resolves.toBeDefined();
  });

  it('stores a frame under its time, from bytes or by moving its file', async () => {
    const { spool, session, files } = await begin();
    const given = join(await spool.folderOf(session), 'given.tmp');
    await writeFile(given, PICTURE);
    const [first] = await putFrames(spool, session, 1);
    const second = await spool.put(session, { captured_at: '2026-07-01T12:00:01.500Z', width: 4, height: 2, picture: { file: given, bytes: PICTURE.length } });
    expect(first?.key).toBe(`${session.name}/CAM%201_20260701T120000000000Z.jpg`);
    for (const key of [first?.key ?? '', second.key]) expect(await readFile(spool.path(key))).toEqual(PICTURE);
    expect(await files()).toHaveLength(3);
  });

  it('gives no frame the name of one that has left it', async () => {
    const { spool, session } = await begin();
    const put = async (time: string): Promise<string> => {
      const frame = await spool.put(session, { captured_at: `2026-07-01T12:00:${time}Z`, width: 4, height: 2, picture: { jpeg: PICTURE } });
      await spool.release(batchOf(session, [frame]));
      return frame.captured_at.slice(17, 23);
    };
    const times: string[] = [];
    for (const time of ['10.000', '05.000', '10.000', '05.000', '05.001']) times.push(await put(time));
    expect(times).toEqual(['10.000', '05.000', '10.001', '05.001', '05.002']);
  });

  it('gives no frame and no batch a name that was there before, however often and far a clock is set back', async () => {
    const { spool, session } = await begin();
    const keys: string[] = [];
    const ids: string[] = [];
    const put = async (seconds: number): Promise<void> => {
      const captured_at = new Date(BEGIN + 1000 * seconds).toISOString();
      const frame = await spool.put(session, { captured_at, width: 4, height: 2, picture: { jpeg: PICTURE } });
      // It stands under its own time all the same, or next to it.
      expect(capturedAt(frame.key)).toBe(frame.captured_at);
      expect(Date.parse(frame.captured_at) - Date.parse(captured_at)).toBeOneOf([0, 1]);
      const batch = batchOf(session, [frame]);
      keys.push(frame.key);
      ids.push(batch.id);
      await spool.release(batch);
    };
    // By five minutes, an hour, a day, and to what comes from before all of it.
    for (const from of [0, 0, 3600, 0, 86_400, 0, -300]) for (let second = 0; second < 300; second += 20) await put(from + second);
    // A camera with two clocks, one after the other.
    for (let turn = 0; turn < 50; turn += 1) await put(turn % 2 === 0 ? 100_000 : 0);
    expect([new Set(keys).size, new Set(ids).size]).toEqual([keys.length, keys.length]);
  });

  it('gives no frame a name that was there before where a camera brings the same time again and again', async () => {
    const { spool, session } = await begin();
    const keys = new Set<string>();
    for (let nth = 0; nth < 4200; nth += 1) {
      const { key } = await spool.put(session, { captured_at: '2026-07-01T12:00:00.000Z', width: 4, height: 2, picture: { jpeg: PICTURE } });
      keys.add(key);
      await spool.remove(key);
    }
    expect(keys.size).toBe(4200);
  });

  it.each([
    ['is gone', 0, 'ENOENT'],
    ['the disk had no room for', 20, `only 20 of its ${PICTURE.length} bytes could be written`],
  ])('leaves nothing of a frame that %s', async (_what, written, reason) => {
    const { spool, session, files } = await begin();
    const file = join(await spool.folderOf(session), 'given.tmp');
    if (written > 0) await writeFile(file, PICTURE.subarray(0, written));
    await expect(spool.put(session, { captured_at: '2026-07-01T12:00:00.000Z', width: 4, height: 2, picture: { file, bytes: PICTURE.length } })).rejects.toThrow(reason);
    expect(await files()).toEqual(['session.json']);
  });

  it('makes a session\'s folder again that somebody removed, for what is to come', async () => {
    const { spool, session, files } = await begin();
    const batch = batchOf(session, await putFrames(spool, session, 1));
    const remove = (): Promise<void> => rm(join(spool.folder, session.name), { recursive: true });
    await remove();
    await Promise.all([putFrames(spool, session, 2, 5), spool.writeManifest(batch)]);
    expect(await files()).toEqual(['CAM%201_20260701T120005000000Z.jpg', 'CAM%201_20260701T120006000000Z.jpg', `${batch.id}.json`, 'session.json'].sort());
    await remove();
    expect(await readdir(await spool.folderOf(session))).toEqual(['session.json']);
    await remove();
    await spool.writeRecord(batch, sampleRecord(batch.id));
    await spool.release(batch);
    expect(await files()).toEqual(['session.json']);
  });

  it('shows the latest frame, which stays when its batch goes', async () => {
    const { spool, session } = await begin();
    const frames = await putFrames(spool, session, 2);
    const shown = await Promise.all(frames.map((frame) => spool.showLatest(session, frame)));
    expect(new Set(shown).size).toBe(1);
    await spool.release(batchOf(session, frames));
    expect(await readFile(shown[0] ?? '')).toEqual(PICTURE);
  });

  it('keeps a batch\'s manifest and its record', async () => {
    const { spool, session } = await begin();
    const batch = batchOf(session, await putFrames(spool, session, 3));
    await spool.writeManifest(batch);
    expect(await spool.readRecord(batch)).toBeNull();
    await spool.writeRecord(batch, sampleRecord(batch.id));
    expect(await spool.readRecord(batch)).toEqual(sampleRecord(batch.id));
    const record = join(spool.folder, session.name, `${batch.id}.record.json`);
    for (let length = (await readFile(record)).length - 1; length >= 0; length -= 1) {
      await truncate(record, length);
      expect(await spool.readRecord(batch)).toBeNull();
    }
    for (const nonsense of ['null', '7', '{}', JSON.stringify(sampleRecord('another'))]) {
      await writeFile(record, nonsense);
      expect(await spool.readRecord(batch), nonsense).toBeNull();
    }
    expect(JSON.parse(await readFile(join(spool.folder, session.name, `${batch.id}.json`), 'utf8'))).toEqual(batch);
  });

  it('lets go of everything that a batch had, and of nothing else', async () => {
    const { spool, session, files } = await begin();
    const [one, other] = [batchOf(session, await putFrames(spool, session, 3)), batchOf(session, await putFrames(spool, session, 2, 3))];
    for (const batch of [one, other]) {
      await spool.writeManifest(batch);
      await spool.writeRecord(batch, sampleRecord(batch.id));
    }
    await rm(spool.path(one.frames[1]?.key ?? ''));
    await spool.release(one);
    expect((await files()).filter((name) => name !== 'session.json')).toHaveLength(4);
    expect((await files()).filter((name) => name.startsWith(one.id))).toEqual([]);
    await spool.release(one);
  });

  it('closes a session once nothing is left in it', async () => {
    const { spool, session, files } = await begin();
    const batch = batchOf(session, await putFrames(spool, session, 1));
    await spool.writeManifest(batch);
    await spool.showLatest(session, batch.frames[0] ?? { key: '', captured_at: '', sequence: 0, width: 0, height: 0 });
    await spool.end(session.name);
    expect(await files()).toHaveLength(4);
    await spool.release(batch);
    expect(await readdir(spool.folder)).toEqual([]);
    await spool.end(session.name);
  });

  it('takes a batch back with its frames, into its session or a new one of that name', async () => {
    const { spool, session, files } = await begin();
    const batch = batchOf(session, await putFrames(spool, session, 3));
    const away = join(folder.path, 'away');
    await mkdir(away);
    for (const { key } of batch.frames.slice(0, 2)) await writeFile(join(away, key.split('/')[1] ?? ''), PICTURE);
    await spool.release(batch);
    await spool.putBack(batch, away);
    expect((await files()).filter((name) => name.endsWith('.jpg'))).toHaveLength(2);
    await spool.release(batch);
    await spool.end(session.name);
    await spool.putBack(batch, away);
    expect(await files()).toContain(`${batch.id}.json`);
    expect(JSON.parse(await readFile(join(spool.folder, session.name, 'session.json'), 'utf8'))).toMatchObject({ lookout: 1, camera_id: 'CAM 1', models: ['motion'] });
  });

  it('changes nothing in a folder that is somebody else\'s by now', async () => {
    const { spool, session } = await begin();
    const [loose, ...frames] = await putFrames(spool, session, 3);
    const batch = batchOf(session, frames);
    await spool.writeManifest(batch);
    const all = async (): Promise<readonly string[]> => (await readdir(spool.folder, { recursive: true })).sort();
    const before = [await all(), await readFile(join(spool.folder, session.name, `${batch.id}.json`), 'utf8')];
    const late = createSpool(spool.folder, () => Promise.reject(new Error('lost')));
    const tries: Readonly<Record<string, () => Promise<unknown>>> = {
      open: () => late.open(SPEC),
      put: () => putFrames(late, session, 1, 9),
      showLatest: () => late.showLatest(session, frames[0] ?? expect.fail('no frame')),
      writeManifest: () => late.writeManifest({ ...batch, attempts: 7 }),
      writeRecord: () => late.writeRecord(batch, sampleRecord(batch.id)),
      putBack: () => late.putBack(batch, spool.folder),
      folderOf: () => late.folderOf({ ...session, name: 'CAM%201_00000000' }),
      release: () => late.release(batch),
      remove: () => late.remove(loose?.key ?? ''),
      end: () => late.end(session.name),
    };
    for (const [what, attempt] of Object.entries(tries)) await expect(attempt(), what).rejects.toThrow('lost');
    expect([await all(), await readFile(join(spool.folder, session.name, `${batch.id}.json`), 'utf8')]).toEqual(before);
  });
});
