import { execFile } from 'node:child_process';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { imageSize } from 'image-size';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { silentLog } from '../../src/lib/log.ts';
import { createCameraTable } from '../../src/cameras/table.ts';
import { createHostAddress } from '../../src/record/host.ts';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import { loadFamily } from '../../src/lib/family.ts';
import { createStages, type StageMember } from '../../src/pipeline/stages.ts';
import { createSpool, type Spool } from '../../src/store/spool.ts';
import type { EvidenceSettings } from '../../src/pipeline/stages/evidence.ts';
import type { SnapshotSettings } from '../../src/pipeline/stages/snapshot.ts';
import type { RecordSettings } from '../../src/record/enrich.ts';
import type { Answers, Batch, BatchRecord } from '../../src/types.ts';
import { batchOf, testFolder } from '../store/folder.ts';
import { answer, dog, failure } from '../record/parts.ts';

type Settings = RecordSettings & SnapshotSettings & EvidenceSettings;

const folder = testFolder();
const SURE = { ...dog, confidence: 0.99 };

/** Two real pictures of 64 x 36, and a record of what models said of them. */
async function made(answers: Answers, settings: Partial<Settings> = {}, spoil?: (spool: Spool, batch: Batch) => Promise<void>): Promise<{ readonly record: BatchRecord | null; readonly pictures: readonly Buffer[] }> {
  const { config } = await loadConfig({ flags: { time_zone: 'UTC', host_ip: '192.0.2.1', ...settings }, env: {}, cwd: folder.path });
  const spool = createSpool(config.frames_dir);
  const session = await spool.open({ camera_id: 'CAM-1', models: Object.keys(answers), options: { ...USUAL_STREAM_OPTIONS, batch_size: 2 } });
  const pictures = await Promise.all(['red', 'blue'].map(async (colour) => {
    const file = join(folder.path, `${colour}.jpg`);
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `color=${colour}:s=64x36`, '-frames:v', '1', file]);
    return readFile(file);
  }));
  const frames = [];
  for (const [second, jpeg] of pictures.entries()) frames.push(await spool.put(session, { captured_at: `2026-07-01T12:00:0${second}.000Z`, width: 64, height: 36, picture: { jpeg } }));
  const batch = batchOf(session, frames);
  await writeFile(join(folder.path, 'cameras.csv'), 'cameraID,latitude,longitude\nCAM-1,24.5,81.25\n');
  await spoil?.(spool, batch);
  const ended = new AbortController();
  onTestFinished(() => { ended.abort(); });
  const makeRecord = await createStages({
    config, janitor: { join: () => undefined }, log: silentLog, path: spool.path, camera: createCameraTable({ file: join(folder.path, 'cameras.csv'), log: silentLog }).lookup,
    hostIp: createHostAddress({ setting: config.host_ip, log: silentLog }).current,
    sectionOf: (model) => (model === 'animals' ? 'stray_animal' : null),
    signal: ended.signal,
  });
  const record = await makeRecord(batch, answers, new AbortController().signal);
  return { record, pictures };
}

const pictureIn = (record: BatchRecord | null): Buffer => Buffer.from((record?.['basic'] as { frame_base64: string }).frame_base64, 'base64');

describe('making a record', () => {
  it('gathers camera, host, times and the first picture as it is', async () => {
    const { record, pictures } = await made({ animals: answer([], [SURE]) });
    expect(record).toMatchObject({
      basic: { camID: 'CAM-1', Latitude: 24.5, Longitude: 81.25, IP: '192.0.2.1', complaint_type: { stray_animal: 1, pothole: 0 } },
      stray_animal: { detections: [{ class: 'dog', frame: 1 }] }, batch: { snapshot: { index: 0, width: 64, height: 36 } },
    });
    expect(pictureIn(record)).toEqual(pictures[0]);
  });

  it('shows the picture of the surest finding when it is asked to', async () => {
    const { record, pictures } = await made({ animals: answer([dog], [SURE]) }, { snapshot: 'best' });
    expect(record?.batch.snapshot?.index).toBe(1);
    expect(pictureIn(record)).toEqual(pictures[1]);
  });

  it('makes the picture narrower, and says how large it is', async () => {
    const { record } = await made({ animals: answer([dog], []) }, { snapshot_max_width: 32 });
    expect(record?.batch.snapshot).toEqual({ index: 0, width: 32, height: 18 });
    expect(imageSize(pictureIn(record))).toMatchObject({ type: 'jpg', width: 32, height: 18 });
  });

  it('does without a picture, even without files, when none is wanted', async () => {
    const { record } = await made({ animals: answer([dog], []) }, { snapshot: 'none' }, (spool, batch) => spool.release(batch));
    expect(record?.batch.snapshot).toBeNull();
    expect(pictureIn(record)).toHaveLength(0);
  });

  it('makes none when nothing was found and only findings are recorded, unless a model failed', async () => {
    expect((await made({ animals: answer([], []) }, { record_when: 'found' })).record).toBeNull();
    expect((await made({ animals: failure() }, { record_when: 'found' })).record).not.toBeNull();
  });

  it('refuses to make a wrong one', async () => {
    await expect(made({ animals: answer([{ ...dog, box: [1, 2, 3, NaN] }], []) })).rejects.toThrow();
    await expect(made({ basic: answer([], []) })).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it.each<[string, (file: string) => Promise<void>]>([
    ['gone', (file) => rm(file)], ['empty', (file) => writeFile(file, '')], ['torn', (file) => truncate(file, 100)],
  ])('says so in the record when its picture is %s, and keeps what was found', async (_what, spoil) => {
    const { record } = await made({ animals: answer([dog], []) }, { snapshot_max_width: 32 }, (spool, batch) => spoil(spool.path(batch.frames[0]?.key ?? '')));
    expect(record?.batch).toMatchObject({ snapshot: null, damaged: [0] });
    expect(record).toMatchObject({ stray_animal: { detections: [{ class: 'dog', frame: 0 }] }, basic: { frame_base64: '', complaint_type: { stray_animal: 1 } } });
  });
});

describe('evidence', () => {
  const kept = async (): Promise<readonly string[]> => (await readdir(join(folder.path, 'data/evidence'), { recursive: true }).catch(() => [])).filter((name) => name.endsWith('.jpg'));

  it.each<[EvidenceSettings['keep_frames'], number]>([['found', 1], ['all', 2], ['none', 0]])('is what keep_frames says: %s', async (keep_frames, count) => {
    await made({ animals: answer([], [dog]), motion: failure() }, { keep_frames });
    expect(await kept()).toHaveLength(count);
  });

  it('is not kept of what is not recorded', async () => {
    await made({ animals: answer([], []) }, { keep_frames: 'all', record_when: 'found' });
    expect(await kept()).toEqual([]);
  });
});

describe('the family of stages', () => {
  it('says of each what it adds, and which comes first', async () => {
    const members = [...(await loadFamily<StageMember>(new URL('../../src/pipeline/stages/', import.meta.url)))];
    expect(members.map(([name]) => name).sort()).toEqual(['enrich', 'evidence', 'snapshot']);
    for (const [name, { summary }] of members) expect(summary, name).toMatch(/^[a-z].*[^.]$/);
    expect(new Set(members.map(([, { order }]) => order)).size).toBe(members.length);
  });
});
