import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../src/lib/log.ts';
import { findLeftovers, recover } from '../../src/pipeline/recover.ts';
import { openBooks } from '../../src/store/books.ts';
import { createSpool, type Session, type Spool } from '../../src/store/spool.ts';
import { sampleRecord } from '../log/sample-record.ts';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import type { Batch, Frame } from '../../src/types.ts';
import { batchOf, BEGIN, PICTURE, putFrames, testFolder } from '../store/folder.ts';

const folder = testFolder();
let spool: Spool;
let session: Session;
beforeEach(async () => {
  spool = createSpool(join(folder.path, 'frames'));
  await mkdir(spool.folder);
  session = await spool.open({ camera_id: 'CAM-1', models: ['motion', 'animals'], options: { ...USUAL_STREAM_OPTIONS, batch_size: 3 } });
});

const own = (...names: readonly string[]): string => join(spool.folder, session.name, ...names);
const NOTHING = { batches: [], grouped: [], damaged: [], foreign: [], aside: [], unknown: [] };

describe('what a crash left', () => {
  it('is nothing at first', async () => {
    expect(await findLeftovers(join(folder.path, 'absent'))).toEqual({ ...NOTHING, sessions: [] });
    expect(await findLeftovers(spool.folder)).toEqual({ ...NOTHING, sessions: [session.name] });
  });

  it('is each batch with a manifest as it was, attempts and all', async () => {
    const batches = [batchOf(session, await putFrames(spool, session, 2)), { ...batchOf(session, await putFrames(spool, session, 3, 2)), closed_by: 'deadline', attempts: 2 } as const];
    for (const batch of batches) await spool.writeManifest(batch);
    expect((await findLeftovers(spool.folder)).batches).toEqual(batches);
  });

  it('may be of the first version, whose manifests and sessions knew less', async () => {
    const batch = batchOf(session, await putFrames(spool, session, 2));
    const loose = await putFrames(spool, session, 2, 5);
    const { options, ...old } = batch;
    const frames = batch.frames.map(({ key, captured_at, width, height }) => ({ key, captured_at, width, height }));
    await writeFile(own(`${batch.id}.json`), JSON.stringify({ ...old, frames, attempts: { motion: 2, animals: 1 } }));
    await writeFile(own('session.json'), JSON.stringify({ lookout: 1, name: session.name, camera_id: 'CAM-1', models: session.models, batch_size: 3, started_at: '' }));
    const { batches } = await findLeftovers(spool.folder);
    expect(batches).toEqual([
      { ...batch, options: { ...USUAL_STREAM_OPTIONS, batch_size: 2 }, attempts: 2 }, { ...batchOf(session, loose), closed_by: 'recovered', options },
    ]);
  });

  it('is what a camera has seen as well, with a manifest and without', async () => {
    const findings = [{ class: 'oil spill', confidence: 0.5, box: [0, 0, 4, 2] as const }];
    const put = (second: number): Promise<Frame> => spool.put(session, { captured_at: new Date(BEGIN + second * 1000).toISOString(), width: 4, height: 2, picture: { jpeg: PICTURE }, findings });
    const [kept, loose] = [await put(0), await put(1)];
    await spool.writeManifest(batchOf(session, [kept]));
    const { batches } = await findLeftovers(spool.folder);
    expect(batches.map(({ frames }) => frames)).toEqual([[{ ...kept, findings }], [{ ...loose, findings }]]);
    // Who writes something else there has no say.
    await writeFile(spool.path(loose.key).replace('.jpg', '.findings.json'), '[{"class": 5}, {"class": "dog", "confidence": 7}, 1]');
    expect((await findLeftovers(spool.folder)).batches[1]?.frames).toEqual([{ key: loose.key, captured_at: loose.captured_at, width: 4, height: 2, sequence: 1 }]);
    for (const batch of (await findLeftovers(spool.folder)).batches) await spool.release(batch);
    await spool.end(session.name);
    expect(await readdir(spool.folder)).toEqual([]);
  });

  it('is frames without a manifest, in groups of the session\'s size', async () => {
    const settled = batchOf(session, await putFrames(spool, session, 2));
    await spool.writeManifest(settled);
    const loose = await putFrames(spool, session, 4, 2);
    const { batches } = await findLeftovers(spool.folder);
    expect(batches).toEqual([settled, ...[loose.slice(0, 3), loose.slice(3)].map((frames) => ({ ...batchOf(session, frames), closed_by: 'recovered' }))]);
    expect(new Set(batches.map(({ id }) => id)).size).toBe(3);
  });

  it('is grouped once: frames get a manifest before anything is done for their batch, and those that have one keep it as it is', async () => {
    const kept = batchOf(session, await putFrames(spool, session, 2));
    await spool.writeManifest(kept);
    await putFrames(spool, session, 4, 2);
    const before = await stat(own(`${kept.id}.json`), { bigint: true });
    const taken: Batch[] = [];
    const books = await openBooks(folder.path);
    onTestFinished(() => books.close());
    const pipeline = { recover: async (batch: Batch): Promise<void> => {
      expect(JSON.parse(await readFile(own(`${batch.id}.json`), 'utf8'))).toEqual(batch);
      taken.push(batch);
    } };
    await recover(spool.folder, { books, spool, pipeline, log: silentLog }, new AbortController().signal);
    expect(taken.map(({ frames }) => frames.length)).toEqual([2, 3, 1]);
    expect(await stat(own(`${kept.id}.json`), { bigint: true })).toMatchObject({ ino: before.ino, ctimeNs: before.ctimeNs });
    expect(await findLeftovers(spool.folder)).toMatchObject({ batches: taken, grouped: [] });
  });

  it('is left again from where the signal aborts', async () => {
    const batches = await Promise.all([0, 2].map(async (from) => batchOf(session, await putFrames(spool, session, 2, from))));
    for (const batch of batches) await spool.writeManifest(batch);
    const books = await openBooks(folder.path);
    onTestFinished(() => books.close());
    const stop = new AbortController();
    const taken: Batch[] = [];
    const pipeline = { recover: (batch: Batch): Promise<void> => {
      taken.push(batch);
      stop.abort(new Error('stopped'));
      return Promise.resolve();
    } };
    await expect(recover(spool.folder, { books, spool, pipeline, log: silentLog }, stop.signal)).rejects.toThrow('stopped');
    expect(taken).toHaveLength(1);
    expect((await findLeftovers(spool.folder)).batches).toHaveLength(2);
  });

  it('comes oldest first, whatever its session is called', async () => {
    const other = await spool.open({ camera_id: 'AAA', models: [], options: { ...USUAL_STREAM_OPTIONS, batch_size: 1 } });
    await putFrames(spool, session, 1, 0);
    await putFrames(spool, other, 1, 5);
    await putFrames(spool, session, 1, 9);
    expect((await findLeftovers(spool.folder)).batches.map(({ camera_id }) => camera_id)).toEqual(['CAM-1', 'AAA']);
  });

  it('is no batch again in its record, its ticks or the latest picture', async () => {
    const batch = batchOf(session, await putFrames(spool, session, 1));
    await spool.writeManifest(batch);
    await spool.writeRecord(batch, sampleRecord(batch.id));
    await writeFile(own(`${batch.id}.json.done`), '');
    await spool.showLatest(session, batch.frames[0] ?? { key: '', captured_at: '', sequence: 0, width: 0, height: 0 });
    expect((await findLeftovers(spool.folder)).batches).toEqual([batch]);
  });

  it.each([
    ['empty', Buffer.alloc(0)], ['without its end', PICTURE.subarray(0, -2)], ['of zeros', Buffer.alloc(5000)], ['no picture but for its end', Buffer.from('nonsense\xff\xd9', 'latin1')],
  ])('is damaged when a frame is %s', async (_what, bytes) => {
    const [frame] = await putFrames(spool, session, 1);
    await writeFile(spool.path(frame?.key ?? ''), bytes);
    expect(await findLeftovers(spool.folder)).toEqual({ ...NOTHING, sessions: [session.name], damaged: [{ camera_id: 'CAM-1', key: frame?.key }] });
  });

  it('is whole when a camera wrote facts of its own after a frame\'s end', async () => {
    const [frame] = await putFrames(spool, session, 1);
    await writeFile(spool.path(frame?.key ?? ''), Buffer.concat([PICTURE, Buffer.from('\0\0vendor=1')]));
    expect(await findLeftovers(spool.folder)).toMatchObject({ damaged: [], batches: [{ frames: [{ key: frame?.key }] }] });
  });

  it.each([
    ['cut off', () => '{"id": "CAM'],
    ['empty', () => ''],
    ['zeros', () => '\0'.repeat(100)],
    ['null', () => 'null'],
    ['a list', () => '[]'],
    ['without frames', (batch: Batch) => JSON.stringify({ ...batch, frames: [] })],
    ['of another session', (batch: Batch) => JSON.stringify({ ...batch, session: 'CAM-2_0a1b2c3d' })],
    ['about files elsewhere', (batch: Batch) => JSON.stringify({ ...batch, frames: batch.frames.map((frame) => ({ ...frame, key: '../data/mine.jpg' })) })],
    ['of an id that leads elsewhere', (batch: Batch) => JSON.stringify({ ...batch, id: `${batch.session}-/../../../precious` })],
    ['of another id', (batch: Batch) => JSON.stringify({ ...batch, id: `${batch.id}0` })],
    ['about a time that is none', (batch: Batch) => JSON.stringify({ ...batch, frames: batch.frames.map((frame) => ({ ...frame, captured_at: 'yesterday' })) })],
    ['about pictures without a size', (batch: Batch) => JSON.stringify({ ...batch, frames: batch.frames.map((frame) => ({ ...frame, width: -1 })) })],
    ['closed by nobody', (batch: Batch) => JSON.stringify({ ...batch, closed_by: 'x' })],
    ['for models without names', (batch: Batch) => JSON.stringify({ ...batch, models: [7] })],
    ['about frames that are none', (batch: Batch) => JSON.stringify({ ...batch, frames: [null, 3] })],
  ])('is frames to group anew where their manifest is damaged, which is kept: %s', async (_what, damage) => {
    const batch = batchOf(session, await putFrames(spool, session, 2));
    await spool.writeManifest(batch);
    await writeFile(own(`${batch.id}.json`), damage(batch));
    const { batches, aside } = await findLeftovers(spool.folder);
    expect(batches).toEqual([{ ...batch, closed_by: 'recovered' }]);
    expect(aside).toEqual([own(`${batch.id}.json.damaged`)]);
    expect(await readdir(own())).toContain(`${batch.id}.json.damaged`);
  });

  it('is looked at with usual options where those that were kept are nonsense', async () => {
    const batch = batchOf(session, await putFrames(spool, session, 2));
    const options = { ...session.options, interval_seconds: 'x; rm', batch_size: 1e9, capture_mode: 'none', duration_seconds: -1 };
    await writeFile(own(`${batch.id}.json`), JSON.stringify({ ...batch, options, attempts: -7, frames: batch.frames.map((frame) => ({ ...frame, sequence: 'x' })) }));
    await putFrames(spool, session, 21, 5);
    for (const kept of [options, { batch_size: 0 }, null, 'x']) {
      await writeFile(own('session.json'), JSON.stringify({ lookout: 1, ...session, options: kept }));
      const { batches: [first, ...loose] } = await findLeftovers(spool.folder);
      expect(first).toEqual({ ...batch, options: { ...session.options, interval_seconds: 3, batch_size: 2, capture_mode: 'auto', duration_seconds: null } });
      expect(loose.map(({ frames }) => frames.length)).toEqual([10, 10, 1]);
    }
  });

  it.each([['cut off', '{"lookout":1,"na'], ['zeros', '\0'.repeat(80)], ['empty', ''], ['nonsense', '{"lookout":1,"camera_id":7}']])('is known by its manifests where session.json is %s', async (_what, text) => {
    const batch = batchOf(session, await putFrames(spool, session, 2));
    const loose = await putFrames(spool, session, 1, 5);
    await writeFile(own('session.json'), text);
    expect(await findLeftovers(spool.folder)).toEqual({ ...NOTHING, sessions: [], unknown: [own()] });
    expect(await readdir(own())).toHaveLength(4);
    await spool.writeManifest(batch);
    const grouped = { ...batchOf(session, loose), closed_by: 'recovered' };
    expect(await findLeftovers(spool.folder)).toEqual({
      ...NOTHING, sessions: [session.name], batches: [batch, grouped], grouped: [grouped], aside: [own('session.json.damaged')],
    });
    expect(await readFile(own('session.json.damaged'), 'utf8')).toBe(text);
    expect(await findLeftovers(spool.folder)).toMatchObject({ sessions: [session.name], aside: [], batches: [batch, {}] });
  });

  it('goes when it was never whole: frames, manifests and folders under other names', async () => {
    await writeFile(own('CAM-1_20260701T120000000000Z.jpg.tmp'), 'torn');
    await writeFile(own('x.json.0a1b2c3d.tmp'), 'torn');
    const drafts = ['CAM-1_00000000.tmp', 'CAM-1_11111111.tmp'].map((name) => join(spool.folder, name));
    for (const draft of drafts) await mkdir(draft);
    await writeFile(join(drafts[0] ?? '', 'session.json'), '{"lookout":1');
    expect(await findLeftovers(spool.folder)).toEqual({ ...NOTHING, sessions: [session.name] });
    expect(await readdir(own())).toEqual(['session.json']);
    expect(await readdir(spool.folder)).toEqual([session.name]);
  });

  it('leaves alone what is not ours, and says what it is called', async () => {
    const foreign = {
      'CAM-2': 'frame.jpg', 'other program': 'session.json', broken: 'session.json', 'null': 'session.json', list: 'session.json', 'precious_0a1b2c3d.tmp': 'precious.txt',
    };
    const texts: Readonly<Record<string, string>> = { 'other program': '{"session": 7}', broken: '{', null: 'null', list: '[]' };
    for (const [name, file] of Object.entries(foreign)) {
      await mkdir(join(spool.folder, name));
      await writeFile(join(spool.folder, name, file), texts[name] ?? 'precious');
    }
    await mkdir(join(spool.folder, 'deep/session.json'), { recursive: true });
    await symlink('loop', join(spool.folder, 'loop'));
    const [frame] = await putFrames(spool, session, 1);
    for (const name of ['precious.tmp', `${basename(frame?.key ?? '', '.jpg').slice(0, -2)}9Z.jpg`]) await mkdir(join(own(), name));
    await writeFile(join(spool.folder, 'notes.txt'), 'precious');
    await writeFile(join(spool.folder, '.gitignore'), '*');
    const before = (await readdir(spool.folder, { recursive: true })).sort();
    const left = await findLeftovers(spool.folder);
    expect(left.sessions).toEqual([session.name]);
    expect([...left.foreign].sort()).toEqual([...Object.keys(foreign), 'deep', 'loop', 'notes.txt'].sort());
    expect((await readdir(spool.folder, { recursive: true })).sort()).toEqual(before);
  });

  it('is not ours in a copy that somebody made of a session, whose batches would be there twice', async () => {
    await spool.writeManifest(batchOf(session, await putFrames(spool, session, 2)));
    await cp(own(), join(spool.folder, 'backup'), { recursive: true });
    const { batches, foreign } = await findLeftovers(spool.folder);
    expect([batches.length, foreign]).toEqual([1, ['backup']]);
    await rm(own(), { recursive: true });
    await rename(join(spool.folder, 'backup'), own());
    expect((await findLeftovers(spool.folder)).batches).toHaveLength(1);
  });
});
