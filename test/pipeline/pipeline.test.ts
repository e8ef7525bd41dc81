import { existsSync } from 'node:fs';
import { readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cameraLane } from '../../src/inference/camera-lane.ts';
import { LookoutError } from '../../src/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Batch, BatchRecord, Balance, Look } from '../../src/types.ts';
import { PICTURE, testFolder } from '../store/folder.ts';
import { planned } from '../inference/lane-fixtures.ts';
import { answer, dog, failure, skipped } from '../record/parts.ts';
import { fakeLane, never, road, type FakeLane, type Road } from './road.ts';

const SOON = { timeout: 10_000 };
const NOTHING: Balance = { captured: 0, recorded: 0, dead_lettered: 0, dropped: {}, in_spool: 0 };
const found = answer([dog], []);
const empty = answer([], []);
const folder = testFolder();

const submit = async ({ pipeline }: Road, ...batches: readonly Batch[]): Promise<void> => {
  for (const batch of batches) await pipeline.submit(batch);
};
const books = (made: Road): Promise<void> => expect.poll(() => made.books.total().in_spool, SOON).toBe(0);
const filesOf = async ({ spool }: Road, { session }: Batch): Promise<readonly string[]> => (await readdir(join(spool.folder, session))).sort();
const manifestOf = async ({ spool }: Road, { session, id }: Batch): Promise<Batch> => JSON.parse(await readFile(join(spool.folder, session, `${id}.json`), 'utf8')) as Batch;

describe('a batch', () => {
  it('becomes one record with a section for each model, and leaves the spool', async () => {
    const lanes = { animals: fakeLane(() => found), motion: fakeLane(() => empty) };
    const made = await road(folder.path, lanes);
    const batch = await made.batch(['animals', 'motion']);
    made.run();
    await submit(made, batch);
    await books(made);
    const records = await made.records();
    expect(records).toMatchObject([{
      batch: { id: batch.id, session: batch.session, closed_by: 'count', snapshot: { index: 0 } },
      basic: { camID: 'CAM-1', IP: '192.0.2.1', complaint_type: { stray_animal: 1, pothole: 0 } },
      stray_animal: { detections: [{ class: 'dog', frame: 0 }] }, motion: { detections: [] },
      models: { animals: { inference_ms: 12, error: null }, motion: { error: null } },
    }]);
    expect(made.recorded).toEqual([batch.id]);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, recorded: 2 });
    expect(lanes.animals.calls).toEqual([batch.frames.map(({ key }) => key)]);
    expect(await filesOf(made, batch)).toEqual(['session.json']);
    await made.spool.end(batch.session);
    await expect.poll(() => readdir(made.spool.folder), SOON).toEqual([]);
  });

  it('is a manifest on disk before its models\' answers are waited for, which counts this run', async () => {
    const lane = fakeLane(never);
    const made = await road(folder.path, { animals: lane });
    const batch = await made.batch(['animals']);
    made.run();
    await submit(made, batch);
    expect(await manifestOf(made, batch)).toEqual({ ...batch, attempts: 1 });
    expect(lane.calls).toHaveLength(1);
  });

  it('is asked about frame by frame as they come, before it is closed', async () => {
    const asked: string[] = [];
    const lane = fakeLane(() => found);
    const made = await road(folder.path, { animals: { ...lane, look: (frame, stream, signal) => {
      asked.push(`${stream.from} ${frame.key}`);
      return lane.look(frame, stream, signal);
    } } });
    const batch = await made.batch(['animals']);
    for (const frame of batch.frames) made.pipeline.offer(frame, batch);
    expect(asked).toEqual(batch.frames.map(({ key }) => `live ${key}`));
    made.run();
    await submit(made, batch);
    await books(made);
    expect(asked).toHaveLength(2);
  });

  it('waits while none of its models is ready', async () => {
    const lane = fakeLane(() => found, { readiness: 'not_ready' });
    const made = await road(folder.path, { animals: lane });
    made.run();
    const batch = await made.batch(['animals']);
    await submit(made, batch);
    await expect.poll(() => made.pipeline.waiting(), SOON).toBe(1);
    expect(lane.calls).toEqual([]);
    lane.readiness = 'ready';
    await books(made);
    expect(made.recorded).toEqual([batch.id]);
  });

  it('goes at once where its camera has seen something, and waits for its models where it has not', async () => {
    const lane = fakeLane(() => found, { readiness: 'not_ready' });
    const made = await road(folder.path, { animals: lane, camera: cameraLane });
    made.run();
    const [silent, told] = [await made.batch(['animals', 'camera']), await made.batch(['animals', 'camera'])];
    const seen = { ...told, frames: told.frames.map((frame) => ({ ...frame, findings: [{ class: 'oil', confidence: 1 }] })) };
    await submit(made, silent, seen);
    await expect.poll(() => made.recorded, SOON).toEqual([told.id]);
    const [record] = await made.records();
    expect(record?.['camera']).toEqual({ detections: [{ class: 'oil', confidence: 1, frame: 0 }, { class: 'oil', confidence: 1, frame: 1 }] });
    expect(record?.models['animals']?.error?.code).toBe('not_ready');
    expect(made.pipeline.waiting()).toBe(1);
    lane.readiness = 'ready';
    await books(made);
    expect((await made.records())[1]?.models).toMatchObject({ animals: { looked: 2 }, camera: { looked: 2 } });
  });

  it('is recorded with what its camera has seen though no model can look', async () => {
    const made = await road(folder.path, { broken: fakeLane(() => failure('model_unavailable'), { readiness: 'unable' }), camera: cameraLane });
    made.run();
    await submit(made, await made.batch(['broken', 'camera']));
    await books(made);
    expect(made.books.total()).toMatchObject({ recorded: 2, dead_lettered: 0 });
    expect((await made.records())[0]?.models).toMatchObject({ broken: { error: { code: 'model_unavailable' } }, camera: { error: null, looked: 2 } });
  });

  it('waits for a model that is being prepared though another cannot run at all', async () => {
    const broken = fakeLane(() => failure('model_unavailable'), { readiness: 'unable' });
    const lane = fakeLane(() => found, { readiness: 'not_ready' });
    const made = await road(folder.path, { broken, animals: lane });
    made.run();
    const [both, alone] = [await made.batch(['broken', 'animals']), await made.batch(['broken'])];
    await submit(made, both, alone);
    await expect.poll(() => made.books.total().dead_lettered, SOON).toBe(2);
    expect([made.pipeline.waiting(), lane.calls.length, broken.calls.length]).toEqual([1, 0, 1]);
    lane.readiness = 'ready';
    await books(made);
    expect(made.recorded).toEqual([both.id]);
  });

  it('holds up no other batch', async () => {
    const made = await road(folder.path, { hung: fakeLane(never), animals: fakeLane(() => found) });
    made.run();
    const [slow, quick] = [await made.batch(['hung'], 2, 'CAM-1'), await made.batch(['animals'], 2, 'CAM-2')];
    await submit(made, slow, quick);
    await expect.poll(() => made.recorded, SOON).toEqual([quick.id]);
    await expect.poll(() => made.pipeline.busy, SOON).toBe(1);
  });

  it('is recorded whatever its camera is called', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => found) });
    made.run();
    const batch = await made.batch(['animals'], 2, '街道'.repeat(60));
    await submit(made, batch);
    await books(made);
    expect(made.recorded).toEqual([batch.id]);
  });

  it('stays in the spool when Lookout stops in the middle', async () => {
    const made = await road(folder.path, { hung: fakeLane(never) });
    made.run();
    const batch = await made.batch(['hung']);
    await submit(made, batch);
    await expect.poll(() => made.pipeline.busy, SOON).toBe(1);
    const began = Date.now();
    await made.close();
    expect(Date.now() - began).toBeLessThan(1000);
    // The try that the stop cut short does not count.
    expect(await manifestOf(made, batch)).toHaveProperty('attempts', 0);
    expect((await filesOf(made, batch)).filter((name) => name.endsWith('.jpg'))).toHaveLength(2);
  });
});

it.each(['v1', 'v2', 'v3'] as const)('names that every object has are names like others, in %s', async (record_format) => {
  const camera = '__proto__';
  const lanes = { constructor: fakeLane(() => found), toString: fakeLane(() => failure('runner_died')), valueOf: fakeLane(() => answer([])) };
  const made = await road(folder.path, lanes, { record_format, record_when: 'always' });
  made.run();
  await submit(made, await made.batch(Object.keys(lanes), 2, camera));
  await submit(made, await made.batch(['toString'], 2, camera));
  await books(made);
  expect(made.books.of(camera)).toEqual({ ...NOTHING, captured: 4, recorded: 2, dead_lettered: 2 });
  const [record, ...others] = await made.records();
  expect(others).toEqual([]);
  expect(Object.entries(record?.models ?? {}).map(([name, { error }]) => [name, error?.code])).toEqual([['constructor', undefined], ['toString', 'runner_died'], ['valueOf', undefined]]);
  expect(Object.keys(record ?? {})).toEqual(expect.arrayContaining(['constructor', 'toString', 'valueOf']));
  expect(await made.recordLog.read({ camera_id: camera, model: 'constructor', limit: 5, pictures: false })).toHaveLength(1);
  expect(await made.recordLog.read({ model: 'hasOwnProperty', limit: 5, pictures: false })).toEqual([]);
  expect((await made.deadLetters.list()).map(({ errors }) => Object.keys(errors))).toEqual([['toString'], ['toString']]);
  await made.close();
  await rm(join(made.config.data_dir, 'books.ndjson'));
  // Made anew out of the letters.
  const later = await road(folder.path, lanes);
  expect(later.books.of(camera)).toMatchObject({ captured: 2, dead_lettered: 2 });
});

describe('models that do not answer', () => {
  it('are late, or not ready, in a record of those that did', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => found), slow: fakeLane(never), unready: fakeLane(never, { readiness: 'not_ready' }) });
    made.run();
    await submit(made, await made.batch(['animals', 'slow', 'unready']));
    await books(made);
    expect(await made.records()).toMatchObject([{ models: { animals: { error: null }, slow: { error: { code: 'late' } }, unready: { error: { code: 'not_ready' } } } }]);
    expect(await made.deadLetters.list()).toMatchObject([{ recorded: true, errors: { unready: { code: 'not_ready' } } }]);
  });

  it.each<[string, () => readonly Look[], boolean]>([
    ['could not be set up', () => failure('model_unavailable'), true],
    ['was not ready', () => skipped('not_ready', 'not_ready'), true],
    ['rests', () => skipped('resting', 'late'), true],
    ['had no time', () => skipped('late', 'overloaded'), false],
    ['could not read the pictures', () => answer('torn', 'torn'), false],
  ])('have the frames kept that others looked at, where a replay can mend why: one that %s', async (_what, says, kept) => {
    const made = await road(folder.path, { animals: fakeLane(() => found), motion: fakeLane(says) });
    made.run();
    const batch = await made.batch(['animals', 'motion']);
    await submit(made, batch);
    await books(made);
    const letters = await made.deadLetters.list();
    expect(letters.map(({ recorded, errors }) => [recorded, Object.keys(errors)])).toEqual(kept ? [[true, ['motion']]] : []);
    if (kept) expect(await readdir(join(made.deadLetters.folder, batch.id))).toHaveLength(3);
  });

  it('stand in the record with their error, and a copy of the frames is kept with their last words', async () => {
    const broken = failure('runner_died').map((look) => ({ ...look, last_words: 'out of memory' }));
    const made = await road(folder.path, { animals: fakeLane(() => found), motion: fakeLane(() => broken) });
    made.run();
    const batch = await made.batch(['animals', 'motion']);
    await submit(made, batch);
    await books(made);
    expect(await made.records()).toMatchObject([{ models: { motion: { error: { code: 'runner_died' } } }, motion: { error: { code: 'runner_died' } } }]);
    expect(await made.deadLetters.list()).toMatchObject([{ batch: { id: batch.id }, recorded: true, errors: { motion: { code: 'runner_died', last_words: 'out of memory' } } }]);
    expect(await readdir(join(made.deadLetters.folder, batch.id))).toHaveLength(3);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, recorded: 2 });
  });

  it('send a batch to the dead letters when none is left, with its frames, and nowhere else, though room is short meanwhile', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => failure('runner_timeout')), motion: fakeLane(() => failure('runner_died')) }, {}, ({ books, deadLetters }) => ({
      books: { ...books, async settle(entry) {
        await deadLetters.unrecorded.letGo({ bytes: 1e9, files: 9 });
        await books.settle(entry);
      } },
    }));
    made.run();
    const batch = await made.batch(['animals', 'motion']);
    await submit(made, batch);
    await books(made);
    expect(await made.records()).toEqual([]);
    expect(await made.deadLetters.list()).toMatchObject([{ batch: { id: batch.id, attempts: 1 }, recorded: false, errors: { animals: { code: 'runner_timeout' }, motion: { code: 'runner_died' } } }]);
    expect(await readdir(join(made.deadLetters.folder, batch.id))).toHaveLength(3);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, dead_lettered: 2 });
    expect(await filesOf(made, batch)).toEqual(['session.json']);
  });
});

describe('a real lane', () => {
  it('whose model cannot be set up sends its batches to the dead letters, each as soon as that is known', async (context) => {
    const { lane } = await planned(context, {}, {}, () => ({ prepare: () => Promise.reject(new LookoutError('model_unavailable', 'its weights are missing')) }));
    const made = await road(folder.path, { potholes: lane });
    made.run();
    const batches = [await made.batch(['potholes']), await made.batch(['potholes'])];
    await submit(made, ...batches);
    await books(made);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 4, dead_lettered: 4 });
    expect(await made.deadLetters.list()).toMatchObject(batches.map(({ id }) => ({ batch: { id }, errors: { potholes: { code: 'model_unavailable', message: 'its weights are missing' } } })));
  });

  it('is not held up by a batch whose try cannot be counted: only the next one of its camera waits for it', async (context) => {
    const { lane } = await planned(context, {});
    let unlucky = '';
    const made = await road(folder.path, { planned: lane }, {}, (parts) => ({
      spool: { ...parts.spool, writeManifest: (batch) => (batch.id === unlucky && batch.attempts === 1 ? Promise.reject(new Error('disk full')) : parts.spool.writeManifest(batch)) },
    }));
    const [first, second, third] = [await made.batch(['planned']), await made.batch(['planned'], 2, 'CAM-2'), await made.batch(['planned'])];
    unlucky = first.id;
    await submit(made, first, second, third);
    made.run();
    await expect.poll(() => made.recorded, SOON).toEqual([second.id]);
    await expect.poll(() => made.logged(), SOON).toMatch(new RegExp(`batch ${first.id}: its try could not be counted .*disk full`));
    expect(await manifestOf(made, first)).toHaveProperty('attempts', 0);
    unlucky = '';
    await expect.poll(() => made.recorded, SOON).toEqual([second.id, first.id, third.id]);
    expect(lane.status()).toMatchObject({ restarts: 0 });
  });
});

describe('what is let go', () => {
  it('is the oldest batch of too many that wait, counted and named', async () => {
    const lane = fakeLane(() => found, { readiness: 'not_ready' });
    const made = await road(folder.path, { animals: lane }, { queue_per_stream: 2 });
    const batches = [await made.batch(['animals']), await made.batch(['animals']), await made.batch(['animals'])];
    await submit(made, ...batches);
    await expect.poll(() => made.books.of('CAM-1'), SOON).toEqual({ ...NOTHING, captured: 6, dropped: { queue_full: 2 }, in_spool: 4 });
    const written = (await readFile(join(made.config.data_dir, 'books.ndjson'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as unknown);
    expect(written).toMatchObject([{ batch: batches[0]?.id, outcome: 'dropped', reason: 'queue_full', files: batches[0]?.frames.map(({ key }) => key) }]);
    expect(made.logged()).toMatch(/too many batches wait/);
    lane.readiness = 'ready';
    made.run();
    await books(made);
    expect([...made.recorded].sort()).toEqual(batches.slice(1).map(({ id }) => id));
  });

  it('is of the camera whose batches do not come to an end, and of no other', async () => {
    const made = await road(folder.path, { stuck: fakeLane(never), quick: fakeLane(() => found) }, { queue_total: 4 });
    made.run();
    const others = [await made.batch(['quick'], 1, 'CAM-2'), await made.batch(['quick'], 1, 'CAM-3')];
    // Two for each of the three.
    for (let nth = 0; nth < 9; nth += 1) await submit(made, await made.batch(['stuck'], 1, 'CAM-1'));
    await submit(made, ...others);
    await expect.poll(() => [...made.recorded].sort(), SOON).toEqual(others.map(({ id }) => id).sort());
    await expect.poll(() => made.books.of('CAM-1').dropped, SOON).toEqual({ queue_full: 3 });
    expect(made.books.of('CAM-2').dropped).toEqual({});
  });

  it('is the oldest batch that waits where the disk is short, once the books know it', async () => {
    const lane = fakeLane(() => found, { readiness: 'not_ready' });
    let refusals = 1;
    const made = await road(folder.path, { animals: lane }, {}, (parts) => ({
      books: { ...parts.books, settle: (entry) => (refusals-- > 0 ? Promise.reject(new Error('disk full')) : parts.books.settle(entry)) },
    }));
    const batches = [await made.batch(['animals']), await made.batch(['animals'], 2, 'CAM-2'), await made.batch(['animals'])];
    await submit(made, ...batches);
    const { expendable } = made.pipeline;
    await expect(expendable.letGo({ bytes: 1, files: 0 })).rejects.toThrow('disk full');
    expect(made.pipeline.waiting()).toBe(3);
    expect(await expendable.letGo({ bytes: 1, files: 0 })).toMatchObject({ files: 3 });
    await expect.poll(() => made.books.total(), SOON).toEqual({ ...NOTHING, captured: 6, dropped: { disk_full: 2 }, in_spool: 4 });
    lane.readiness = 'ready';
    made.run();
    await books(made);
    expect([...made.recorded].sort()).toEqual(batches.slice(1).map(({ id }) => id).sort());
    expect(await expendable.letGo({ bytes: 1, files: 0 })).toEqual({ bytes: 0, files: 0 });
  });

  it('is a batch without findings when only findings are recorded', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => empty), motion: fakeLane(() => found) }, { record_when: 'found' });
    made.run();
    const [nothing, something] = [await made.batch(['animals']), await made.batch(['motion'])];
    await submit(made, nothing, something);
    await books(made);
    expect((await made.records()).map(({ batch }) => batch.id)).toEqual([something.id]);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 4, recorded: 2, dropped: { nothing_found: 2 } });
  });
});

describe('what no model looked at', () => {
  it('is recorded as that, and is no dead letter', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => skipped('overloaded', 'overloaded')) });
    made.run();
    await submit(made, await made.batch(['animals']));
    await books(made);
    expect(await made.records()).toMatchObject([{
      basic: { complaint_type: { stray_animal: null } },
      models: { animals: { looked: 0, skipped: [{ frame: 0, reason: 'overloaded' }, { frame: 1, reason: 'overloaded' }], error: { code: 'overloaded' }, inference_ms: null } },
    }]);
    expect(await made.deadLetters.list()).toEqual([]);
  });

  it('is dropped as not looked at when only findings are recorded', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => skipped('overloaded', 'late')) }, { record_when: 'found' });
    made.run();
    await submit(made, await made.batch(['animals']));
    await books(made);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, dropped: { not_looked: 2 } });
  });

  it('goes to the dead letters where a model failed on the rest of it', async () => {
    const [failed] = failure('runner_died');
    const [skip] = skipped('quarantined');
    const made = await road(folder.path, { animals: fakeLane(() => [failed, skip].filter((look) => look !== undefined)) });
    made.run();
    await submit(made, await made.batch(['animals']));
    await books(made);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, dead_lettered: 2 });
  });

  it('of one frame makes no dead letter, and stands in the record', async () => {
    const [failed] = failure('runner_died');
    const [look] = answer([dog]);
    const made = await road(folder.path, { animals: fakeLane(() => [look, failed].filter((one) => one !== undefined)) });
    made.run();
    await submit(made, await made.batch(['animals']));
    await books(made);
    expect(await made.records()).toMatchObject([{
      stray_animal: { detections: [{ class: 'dog', frame: 0 }], frame_errors: [{ frame: 1, message: 'took too long' }] }, models: { animals: { looked: 1, error: null } },
    }]);
    expect(await made.deadLetters.list()).toEqual([]);
  });
});

describe('trouble on the way', () => {
  it('with the log is got over, and the record is there once', async () => {
    let refusals = 2;
    const made = await road(folder.path, { animals: fakeLane(() => found) }, {}, ({ recordLog }) => ({
      recordLog: {
        ...recordLog,
        append: async (items, signal) => {
          if (refusals-- > 0) throw new LookoutError('log_failed', 'disk full');
          await recordLog.append(items, signal);
        },
      },
    }));
    made.run();
    await submit(made, await made.batch(['animals']));
    await expect.poll(() => made.pipeline.troubles(), SOON).toEqual(['its record could not be appended: disk full']);
    await books(made);
    expect(made.pipeline.troubles()).toEqual([]);
    expect(await made.records()).toHaveLength(1);
    expect(made.logged()).toContain('disk full');
  });

  it('with the books writes no record twice', async () => {
    let refusals = 1;
    const lane = fakeLane(() => found);
    const made = await road(folder.path, { animals: lane }, {}, (parts) => ({
      books: { ...parts.books, settle: (entry) => (refusals-- > 0 ? Promise.reject(new Error('disk full')) : parts.books.settle(entry)) },
    }));
    made.run();
    await submit(made, await made.batch(['animals']));
    await books(made);
    expect(await made.records()).toHaveLength(1);
    expect(lane.calls).toHaveLength(1);
  });

  it('with a record that can never be made ends among the dead letters', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => found) }, {}, () => ({ makeRecord: () => Promise.reject(new LookoutError('config_invalid', 'no such section')) }));
    made.run();
    await submit(made, await made.batch(['animals']));
    await books(made);
    expect(await made.deadLetters.list()).toMatchObject([{ recorded: false, errors: { record: { code: 'config_invalid', message: 'no such section' } } }]);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, dead_lettered: 2 });
  });

  it('with the answers of one batch keeps the records of its camera in order, and no other camera waits', async () => {
    let answerFirst: (looks: readonly Look[]) => void = () => undefined;
    const first = new Promise<readonly Look[]>((resolve) => { answerFirst = resolve; });
    let calls = 0;
    const made = await road(folder.path, { animals: fakeLane(() => ((calls += 1) === 1 ? first : found)) });
    made.run();
    const [early, late, other] = [await made.batch(['animals']), await made.batch(['animals']), await made.batch(['animals'], 2, 'CAM-2')];
    await submit(made, early, late, other);
    await expect.poll(() => made.recorded, SOON).toEqual([other.id]);
    answerFirst(found);
    await expect.poll(() => made.recorded, SOON).toEqual([other.id, early.id, late.id]);
  });

  it('that passes by itself sends no batch there, however long it lasts', async () => {
    let refusals = 5;
    const made = await road(folder.path, { animals: fakeLane(() => found) }, {}, ({ makeRecord }) => ({
      clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal) },
      makeRecord: (...work) => (refusals-- > 0 ? Promise.reject(Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })) : makeRecord(...work)),
    }));
    made.run();
    await submit(made, await made.batch(['animals']));
    await books(made);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, recorded: 2 });
    expect(await made.deadLetters.list()).toEqual([]);
  });

  it.skipIf(!existsSync('/proc/self/mem'))('with a picture that the disk does not give costs the record that picture (needs /proc)', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => found) });
    made.run();
    const batch = await made.batch(['animals']);
    const file = made.spool.path(batch.frames[0]?.key ?? '');
    await rm(file);
    // Reads of it fail with EIO.
    await symlink('/proc/self/mem', file);
    await submit(made, batch);
    await books(made);
    expect(await made.records()).toMatchObject([{ batch: { id: batch.id, snapshot: null, damaged: [0] } }]);
    expect(await made.deadLetters.list()).toEqual([]);
  });

  it.skipIf(!existsSync('/proc/self/mem'))('with one of an earlier run has its frame counted as damaged (needs /proc)', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => found) });
    const batch = await made.batch(['animals']);
    const file = made.spool.path(batch.frames[0]?.key ?? '');
    await rm(file);
    await symlink('/proc/self/mem', file);
    await made.pipeline.submit(batch, 'recovered');
    made.run();
    await books(made);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, recorded: 1, dropped: { damaged: 1 } });
  });

  it('with a frame that somebody removed costs the record its picture only', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => found) });
    made.run();
    const batch = await made.batch(['animals']);
    await rm(made.spool.path(batch.frames[0]?.key ?? ''));
    await submit(made, batch);
    await books(made);
    expect(await made.records()).toMatchObject([{ batch: { id: batch.id, snapshot: null, damaged: [0] }, stray_animal: { detections: [{ class: 'dog' }] } }]);
    expect(await made.deadLetters.list()).toEqual([]);
  });
});

/** A road on which one batch has its finished record in the spool, and another one is recorded. */
async function leftFinished(): Promise<{ readonly first: Road; readonly batch: Batch; readonly other: Batch; readonly own: BatchRecord }> {
  const first = await road(folder.path, { animals: fakeLane(() => found) });
  const batch = await first.batch(['animals']);
  await first.spool.writeManifest(batch);
  const other = await first.batch(['animals']);
  first.run();
  await submit(first, other);
  await expect.poll(() => first.recorded, SOON).toEqual([other.id]);
  const [record] = await first.records();
  if (!record) throw new Error('no record');
  const own = { ...record, batch: { ...record.batch, id: batch.id } };
  await first.spool.writeRecord(batch, own);
  return { first, batch, other, own };
}

/** The run after it, once that has settled the batch. */
async function resumed(batch: Batch): Promise<{ readonly second: Road; readonly lane: FakeLane }> {
  const lane = fakeLane(() => found);
  const second = await road(folder.path, { animals: lane });
  await second.pipeline.recover(batch);
  second.run();
  await books(second);
  return { second, lane };
}

describe('a batch of an earlier run', () => {
  it('waits with its manifest as it is: thousands may have been left', async () => {
    const written: string[] = [];
    const made = await road(folder.path, { animals: fakeLane(() => found, { readiness: 'not_ready' }) }, {}, ({ spool }) => ({
      spool: { ...spool, writeManifest: (batch) => {
        written.push(batch.id);
        return spool.writeManifest(batch);
      } },
    }));
    const batch = await made.batch(['animals']);
    await made.spool.writeManifest(batch);
    await made.pipeline.recover(batch);
    expect([made.pipeline.waiting(), written]).toEqual([1, []]);
  });

  it('counts this run before it is asked about, and is not asked about once too many runs ended on it', async () => {
    const lane = fakeLane(never);
    const made = await road(folder.path, { animals: lane }, { model_retries: 1 });
    const [first, second] = [{ ...await made.batch(['animals'], 2, 'A'), attempts: 1 }, { ...await made.batch(['animals'], 2, 'B'), attempts: 2 }];
    made.run();
    await made.pipeline.submit(first, 'recovered');
    await made.pipeline.submit(second, 'recovered');
    await expect.poll(() => lane.calls.length, SOON).toBe(1);
    expect(await manifestOf(made, first)).toHaveProperty('attempts', 2);
    await expect.poll(() => made.deadLetters.list(), SOON).toMatchObject([{ batch: { id: second.id }, errors: { animals: { message: expect.stringContaining('ended 2 times') as string } } }]);
    expect(lane.calls).toEqual([first.frames.map(({ key }) => key)]);
  });

  it.each(['before the log had it', 'after the log had it'])('whose record was finished is not asked again, and recorded once: %s', async (when) => {
    const { first, batch, other, own } = await leftFinished();
    if (when === 'after the log had it') await first.recordLog.append([own], new AbortController().signal);
    await first.close();

    const { second, lane } = await resumed(batch);
    expect((await second.records()).map((one) => one.batch.id)).toEqual([other.id, batch.id]);
    expect(lane.calls).toEqual([]);
    expect(second.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 4, recorded: 4 });
    await expect.poll(() => readdir(second.spool.folder), SOON).toEqual([]);
  });

  it.each(['is in the log', 'was in a file that is gone since'])('that an earlier version ticked off is not recorded again, and its tick goes with it: its record %s', async (where) => {
    const { first, batch, other, own } = await leftFinished();
    if (where === 'is in the log') await first.recordLog.append([own], new AbortController().signal);
    await writeFile(join(first.spool.folder, batch.session, `${batch.id}.json.done`), '');
    await first.close();

    const { second, lane } = await resumed(batch);
    expect((await second.records()).map((one) => one.batch.id)).toEqual(where === 'is in the log' ? [other.id, batch.id] : [other.id]);
    expect(lane.calls).toEqual([]);
    expect(second.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 4, recorded: 4 });
    await expect.poll(() => readdir(second.spool.folder), SOON).toEqual([]);
  });

  it.each([
    ['lost', 'before the log had it', 1], ['torn', 'before the log had it', 1], ['lost', 'after the log had it', 0], ['torn', 'after the log had it', 0],
  ])('whose finished record a power cut has %s is recorded once: %s', async (harm, when, calls) => {
    const { first, batch, other, own } = await leftFinished();
    if (when === 'after the log had it') await first.recordLog.append([own], new AbortController().signal);
    const file = join(first.spool.folder, batch.session, `${batch.id}.record.json`);
    await (harm === 'lost' ? rm(file) : truncate(file, 100));
    await first.close();

    const { second, lane } = await resumed(batch);
    expect((await second.records()).map((one) => one.batch.id)).toEqual([other.id, batch.id]);
    expect(lane.calls).toHaveLength(calls);
    expect(second.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 4, recorded: 4 });
    await expect.poll(() => readdir(second.spool.folder), SOON).toEqual([]);
  });

  it.each([
    ['empty', Buffer.alloc(0)], ['without its end', PICTURE.subarray(0, -2)], ['of zeros', Buffer.alloc(PICTURE.length)],
  ])('of which a power cut left pictures %s is recorded without those frames, which are counted damaged', async (_what, bytes) => {
    const first = await road(folder.path, { animals: fakeLane(() => found) });
    const batch = await first.batch(['animals'], 4);
    await first.spool.writeManifest(batch);
    await first.close();
    for (const place of [0, 2]) await writeFile(first.spool.path(batch.frames[place]?.key ?? ''), bytes);
    const { second, lane } = await resumed(batch);
    const whole = batch.frames.filter((_frame, place) => place % 2 === 1).map(({ key }) => key);
    expect(lane.calls).toEqual([whole]);
    const [record] = await second.records();
    expect(record?.batch).toMatchObject({ id: batch.id, frames: whole.map((file) => ({ file })), snapshot: { index: 0 } });
    expect(record?.basic).toHaveProperty('frame_base64', PICTURE.toString('base64'));
    expect(second.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 4, recorded: 2, dropped: { damaged: 2 } });
    expect(second.logged()).toContain(`batch ${batch.id} goes on without 2 damaged frames`);
    await expect.poll(() => readdir(second.spool.folder), SOON).toEqual([]);
  });

  it('of which no picture is whole is not recorded, whatever crash came while that was entered', async () => {
    const first = await road(folder.path, { animals: fakeLane(() => found) });
    const batch = await first.batch(['animals'], 3);
    await first.spool.writeManifest(batch);
    for (const { key } of batch.frames) await writeFile(first.spool.path(key), '');
    // As far as an earlier start came.
    const [key = ''] = batch.frames.map((frame) => frame.key);
    await first.books.settle({ camera_id: 'CAM-1', batch: key, outcome: 'dropped', reason: 'damaged', frames: 1, files: [key] });
    await first.close();
    const { second, lane } = await resumed(batch);
    expect([lane.calls, await second.records()]).toEqual([[], []]);
    expect(second.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 3, dropped: { damaged: 3 } });
    await expect.poll(() => readdir(second.spool.folder), SOON).toEqual([]);
  });

  it('that was settled leaves the spool and counts no more', async () => {
    const first = await road(folder.path, { animals: fakeLane(() => failure('runner_died')) });
    const batch = await first.batch(['animals']);
    first.run();
    await submit(first, batch);
    await books(first);
    await first.spool.writeManifest(batch);
    await first.close();
    const lane = fakeLane(() => found);
    const second = await road(folder.path, { animals: lane });
    second.run();
    await second.pipeline.recover(batch);
    await expect.poll(() => readdir(second.spool.folder), SOON).toEqual([]);
    expect(lane.calls).toEqual([]);
    expect(second.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, dead_lettered: 2 });
  });
});
