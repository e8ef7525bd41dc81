import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/lib/log.ts';
import { openEvidence, type Evidence } from '../../src/store/evidence.ts';
import { createSpool, type Spool } from '../../src/store/spool.ts';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import type { Batch, Config } from '../../src/types.ts';
import { batchOf, PICTURE, putFrames, testFolder } from './folder.ts';
import { answer, dog, failure } from '../record/parts.ts';

const folder = testFolder();
const kept = async (): Promise<string[]> => (await readdir(join(folder.path, 'evidence'), { recursive: true }).catch(() => [])).filter((name) => name.endsWith('.jpg')).map((name) => basename(name)).sort();
let logged: string[] = [];
const open = (keep_frames: Config['keep_frames'], spool: Spool, evidence_max_bytes = 1e9): Promise<Evidence> => {
  logged = [];
  const log = createLog({ level: 'debug', format: 'text', write: (line) => logged.push(line) });
  return openEvidence({ data_dir: folder.path, keep_frames, evidence_max_bytes }, spool, log);
};

async function threeFrames(firstSecond = 0): Promise<{ readonly spool: Spool; readonly batch: Batch; readonly names: readonly string[] }> {
  const spool = createSpool(join(folder.path, 'frames'));
  const session = await spool.open({ camera_id: 'CAM-1', models: ['animals', 'motion'], options: { ...USUAL_STREAM_OPTIONS, batch_size: 3 } });
  const batch = batchOf(session, await putFrames(spool, session, 3, firstSecond));
  return { spool, batch, names: batch.frames.map(({ key }) => basename(key)) };
}

describe('evidence', () => {
  it('is every frame in which any model found something', async () => {
    const { spool, batch, names } = await threeFrames();
    await (await open('found', spool)).keep(batch, { animals: answer([dog], [], 'torn'), motion: answer([], [], [dog]), broken: failure() });
    expect(await kept()).toEqual([names[0], names[2]]);
  });

  it('is every frame, or none, when the setting says so', async () => {
    const { spool, batch, names } = await threeFrames();
    await (await open('none', spool)).keep(batch, { animals: answer([dog], [dog], [dog]) });
    expect(await kept()).toEqual([]);
    await (await open('all', spool)).keep(batch, { animals: failure() });
    expect(await kept()).toEqual(names);
  });

  it('outlives the spool and is kept once', async () => {
    const { spool, batch, names } = await threeFrames();
    const evidence = await open('all', spool);
    for (let times = 0; times < 2; times += 1) await evidence.keep(batch, {});
    await spool.release(batch);
    expect(await kept()).toEqual(names);
    expect(await readFile(join(folder.path, 'evidence', batch.session, names[0] ?? ''))).toEqual(PICTURE);
  });

  it('lets go of the oldest frames when there are too many bytes, also of earlier runs', async () => {
    const { spool, batch, names } = await threeFrames();
    await (await open('all', spool, 2.5 * PICTURE.length)).keep(batch, {});
    expect(await kept()).toEqual(names.slice(1));
    const later = await threeFrames(10);
    await (await open('all', later.spool, 2.5 * PICTURE.length)).keep(later.batch, {});
    expect(await kept()).toEqual(later.names.slice(1));
  });

  it('does without a frame that somebody removed', async () => {
    const { spool, batch, names } = await threeFrames();
    await rm(spool.path(batch.frames[1]?.key ?? ''));
    await (await open('all', spool)).keep(batch, {});
    expect(await kept()).toEqual([names[0], names[2]]);
  });

  it('leaves what lies beside it alone, and takes away the folders of sessions whose last picture is gone', async () => {
    const first = await threeFrames();
    const own = join(folder.path, 'evidence');
    await mkdir(join(own, 'CAM-0_00000000'), { recursive: true });
    await writeFile(join(own, '.DS_Store'), 'not a folder');
    const evidence = await open('all', first.spool, 1.5 * PICTURE.length);
    expect((await readdir(own)).sort()).toEqual(['.DS_Store']);
    await evidence.keep(first.batch, {});
    const second = await threeFrames(10);
    await evidence.keep(second.batch, {});
    expect((await readdir(own)).sort()).toEqual(['.DS_Store', second.batch.session]);
    expect(logged).toEqual([]);
  });

  it('that cannot be written is said once and holds up no record; it is kept again when it can be', async () => {
    const { spool, batch, names } = await threeFrames();
    await writeFile(join(folder.path, 'evidence'), 'in the way');
    const evidence = await open('all', spool);
    for (let times = 0; times < 3; times += 1) await evidence.keep(batch, {});
    expect(logged).toEqual([expect.stringMatching(/error lookout: pictures cannot be kept in .*; records go on without reason=".*ENOTDIR/)]);
    await rm(join(folder.path, 'evidence'));
    await evidence.keep(batch, {});
    expect(await kept()).toEqual(names);
  });
});
