import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../src/store/dead-letters.ts';
import { cameraLane } from '../../src/inference/camera-lane.ts';
import { replayFrames, replayLetter } from '../../src/pipeline/replay.ts';
import type { Balance, Look } from '../../src/types.ts';
import { PICTURE, testFolder } from '../store/folder.ts';
import { answer, dog, failure } from '../record/parts.ts';
import { fakeLane, road, type Road } from './road.ts';

const SOON = { timeout: 10_000 };
const NOTHING: Balance = { captured: 0, recorded: 0, dead_lettered: 0, dropped: {}, in_spool: 0 };
const found = answer([dog], []);
const folder = testFolder();

const done = (made: Road): Promise<void> => expect.poll(() => made.books.total().in_spool, SOON).toBe(0);

/** A road with one dead letter, whose model does well from now on. */
async function withLetter(models: readonly string[] = ['animals']): Promise<{ readonly made: Road; readonly letter: DeadLetter; readonly asked: string[] }> {
  const asked: string[] = [];
  let well = false;
  const says = (name: string) => (): readonly Look[] => {
    asked.push(name);
    return well ? found : failure('runner_died');
  };
  const made = await road(folder.path, { animals: fakeLane(says('animals')), motion: fakeLane(says('motion')), steady: fakeLane(() => found) });
  const batch = await made.batch(models);
  made.run();
  await made.pipeline.submit(batch);
  await done(made);
  await made.spool.end(batch.session);
  const [letter] = await made.deadLetters.list();
  if (!letter) throw new Error('no dead letter');
  well = true;
  asked.length = 0;
  return { made, letter, asked };
}

describe('a dead letter', () => {
  it('is recorded once when it is replayed, under its own id, and the books balance', async () => {
    const { made, letter } = await withLetter();
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, dead_lettered: 2 });
    expect(await replayLetter(letter, null, made.replay)).toMatchObject({ id: letter.batch.id });
    await done(made);
    expect((await made.records()).map(({ batch }) => [batch.id, batch.closed_by])).toEqual([[letter.batch.id, 'count']]);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, recorded: 2 });
    expect(await made.deadLetters.list()).toEqual([]);
    // The session's folder goes last, after the books.
    await expect.poll(() => readdir(made.spool.folder), { timeout: 5000 }).toEqual([]);
    expect(await replayLetter(letter, null, made.replay)).toBe('already recorded');
    expect(await made.records()).toHaveLength(1);
  });

  it('is replayed without pictures that a power cut has emptied, which are counted damaged', async () => {
    const { made, letter } = await withLetter();
    await writeFile(join(made.deadLetters.folderOf(letter.batch), basename(letter.batch.frames[0]?.key ?? '')), '');
    await replayLetter(letter, null, made.replay);
    await done(made);
    expect((await made.records()).map(({ batch }) => batch.frames.map(({ file }) => file))).toEqual([[letter.batch.frames[1]?.key]]);
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, recorded: 1, dropped: { damaged: 1 } });
  });

  it('begins its attempts anew, and may be shown to other models', async () => {
    const { made, letter, asked } = await withLetter();
    expect(letter.batch.attempts).toBe(1);
    await replayLetter(letter, ['motion'], made.replay);
    await done(made);
    expect(asked).toEqual(['motion']);
    expect(Object.keys((await made.records())[0]?.models ?? {})).toEqual(['motion']);
  });

  it('keeps what its camera has seen, whichever models it is shown to', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => failure('runner_died')), motion: fakeLane(() => found), camera: cameraLane });
    made.run();
    const batch = await made.batch(['animals', 'camera']);
    const seen = { ...batch, frames: batch.frames.map((frame) => ({ ...frame, findings: [{ class: 'oil', confidence: 1 }] })) };
    await made.deadLetters.add({ batch: seen, errors: { animals: { code: 'runner_died', message: 'planned' } }, recorded: false });
    const [letter] = await made.deadLetters.list();
    if (!letter) throw new Error('no letter');
    expect(await replayLetter(letter, ['motion'], made.replay)).toMatchObject({ models: ['motion', 'camera'] });
    await expect.poll(() => made.recorded, { timeout: 5000 }).toEqual([batch.id]);
    expect((await made.records())[0]?.['camera']).toMatchObject({ detections: [{ class: 'oil', frame: 0 }, { class: 'oil', frame: 1 }] });
  });

  it('whose batch was recorded with other answers keeps its frames until a model is named', async () => {
    const { made, letter, asked } = await withLetter(['animals', 'steady']);
    expect(letter.recorded).toBe(true);
    expect(await replayLetter(letter, null, made.replay)).toBe('kept');
    expect([await made.deadLetters.list(), asked]).toEqual([[letter], []]);
    const again = await replayLetter(letter, ['animals'], made.replay);
    expect(again).toMatchObject({ camera_id: 'CAM-1', models: ['animals'] });
    await done(made);
    expect([await made.deadLetters.list(), asked]).toEqual([[], ['animals']]);
    const [first, second] = await made.records();
    expect(second?.batch.id).not.toBe(first?.batch.id);
    expect(second?.batch.frames.map(({ captured_at }) => captured_at)).toEqual(first?.batch.frames.map(({ captured_at }) => captured_at));
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 4, recorded: 4 });
  });

  it('whose frames somebody removed is left as it is', async () => {
    const { made, letter } = await withLetter(['animals', 'steady']);
    for (const { key } of letter.batch.frames) await rm(join(made.deadLetters.folderOf(letter.batch), basename(key)));
    await expect(replayLetter(letter, ['animals'], made.replay)).rejects.toMatchObject({ code: 'bad_frame' });
    expect(await made.deadLetters.list()).toHaveLength(1);
  });

  it('that was let go since it was listed is not replayed', async () => {
    const { made, letter } = await withLetter();
    await made.deadLetters.remove(letter.batch);
    await expect(replayLetter(letter, null, made.replay)).rejects.toMatchObject({ code: 'not_found' });
    expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, dead_lettered: 2 });
  });

  it('becomes one again when the models fail again', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => failure('runner_died')) });
    const batch = await made.batch(['animals']);
    made.run();
    await made.pipeline.submit(batch);
    await done(made);
    for (let replays = 0; replays < 2; replays += 1) {
      const [letter] = await made.deadLetters.list();
      if (!letter) throw new Error('no dead letter');
      expect(await replayLetter(letter, null, made.replay)).toMatchObject({ id: batch.id });
      await done(made);
      expect(made.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, dead_lettered: 2 });
    }
    expect(await readdir(join(made.deadLetters.folder, batch.id))).toHaveLength(3);
  });

  it('keeps the books balanced over another start', async () => {
    const { made, letter } = await withLetter();
    await replayLetter(letter, null, made.replay);
    await done(made);
    await made.close();
    const later = await road(folder.path, {});
    expect(later.books.of('CAM-1')).toEqual({ ...NOTHING, captured: 2, recorded: 2 });
    expect(later.books.settled(letter.batch.id)).toBe(true);
  });
});

describe('stored pictures', () => {
  it('become one new batch of their camera and stay where they are, also when all have the same time', async () => {
    const made = await road(folder.path, { animals: fakeLane(() => found) });
    made.run();
    const stored = await Promise.all(['a.jpg', 'b.jpg', 'c.jpg'].map(async (name) => {
      const file = join(folder.path, name);
      await writeFile(file, PICTURE);
      return { file, captured_at: '2026-07-01T12:00:00.000Z', width: 4, height: 2 };
    }));
    const batch = await replayFrames('CAM-9', stored, ['animals'], made.replay);
    expect(batch).toMatchObject({ camera_id: 'CAM-9', closed_by: 'recovered' });
    await done(made);
    expect((await made.records()).map((record) => record.batch.frames.length)).toEqual([3]);
    expect(made.books.of('CAM-9')).toEqual({ ...NOTHING, captured: 3, recorded: 3 });
    for (const { file } of stored) expect(await readFile(file)).toEqual(PICTURE);
    await expect.poll(() => readdir(made.spool.folder), { timeout: 5000 }).toEqual([]);
  });
});
