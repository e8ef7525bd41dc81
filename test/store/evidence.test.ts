import { linkSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/lib/log.ts';
import { evidenceFile, openEvidence, type Evidence } from '../../src/store/evidence.ts';
import { createSpool, type Spool } from '../../src/store/spool.ts';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import type { Batch } from '../../src/types.ts';
import { batchOf, PICTURE, putFrames, testFolder } from './folder.ts';

const folder = testFolder();
const all = (): boolean => true;
const kept = async (): Promise<string[]> => (await readdir(join(folder.path, 'evidence'), { recursive: true }).catch(() => [])).filter((name) => name.endsWith('.jpg')).map((name) => basename(name)).sort();
let logged: string[] = [];
const open = (spool: Spool, evidence_max_bytes = 1e9): Evidence => {
  logged = [];
  const log = createLog({ level: 'debug', format: 'text', write: (line) => logged.push(line) });
  return openEvidence({ data_dir: folder.path, evidence_max_bytes }, spool, log);
};

async function threeFrames(firstSecond = 0): Promise<{ readonly spool: Spool; readonly batch: Batch; readonly names: readonly string[] }> {
  const spool = createSpool(join(folder.path, 'frames'));
  const session = await spool.open({ camera_id: 'CAM-1', models: ['animals', 'motion'], options: { ...USUAL_STREAM_OPTIONS, batch_size: 3 } });
  const batch = batchOf(session, await putFrames(spool, session, 3, firstSecond));
  return { spool, batch, names: batch.frames.map(({ key }) => basename(key)) };
}

describe('the file of a kept frame', () => {
  it('is found by the key of the frame', async () => {
    const { spool, batch } = await threeFrames();
    await open(spool).keep(batch, all);
    for (const { key } of batch.frames) expect(await readFile(evidenceFile(folder.path, key) ?? '')).toEqual(await readFile(spool.path(key)));
  });

  it.each(['', 'a.jpg', '/a.jpg', 'a/', 'a/b', 'a/.jpg/', '../a.jpg', 'a/../b.jpg', 'a/b/c.jpg', '..\\..\\a/b.jpg', 'a/b\\c.jpg', 'a/b\0.jpg', './a.jpg'])('is none for %j, which is no key of a frame', (key) => {
    expect(evidenceFile(folder.path, key)).toBeNull();
  });
});

describe('evidence', () => {
  it('is the frames that are wanted', async () => {
    const { spool, batch, names } = await threeFrames();
    await open(spool).keep(batch, (index) => index !== 1);
    expect(await kept()).toEqual([names[0], names[2]]);
  });

  it('outlives the spool and is kept once', async () => {
    const { spool, batch, names } = await threeFrames();
    const evidence = open(spool);
    for (let times = 0; times < 2; times += 1) await evidence.keep(batch, all);
    await spool.release(batch);
    expect(await kept()).toEqual(names);
    expect(await readFile(join(folder.path, 'evidence', batch.session, names[0] ?? ''))).toEqual(PICTURE);
  });

  it('lets go of the oldest frames when there are too many bytes, also of earlier runs', async () => {
    const { spool, batch, names } = await threeFrames();
    await open(spool, 2.5 * PICTURE.length).keep(batch, all);
    await expect.poll(kept).toEqual(names.slice(1));
    const later = await threeFrames(10);
    await open(later.spool, 2.5 * PICTURE.length).keep(later.batch, all);
    await expect.poll(kept).toEqual(later.names.slice(1));
  });

  it('does without a frame that somebody removed', async () => {
    const { spool, batch, names } = await threeFrames();
    await rm(spool.path(batch.frames[1]?.key ?? ''));
    await open(spool).keep(batch, all);
    expect(await kept()).toEqual([names[0], names[2]]);
  });

  it('leaves what lies beside it alone, and takes away the folders of sessions whose last picture is gone', async () => {
    const first = await threeFrames();
    const own = join(folder.path, 'evidence');
    await mkdir(join(own, 'CAM-0_00000000'), { recursive: true });
    await writeFile(join(own, '.DS_Store'), 'not a folder');
    const evidence = open(first.spool, 1.5 * PICTURE.length);
    await expect.poll(async () => (await readdir(own)).sort()).toEqual(['.DS_Store']);
    await evidence.keep(first.batch, all);
    const second = await threeFrames(10);
    await evidence.keep(second.batch, all);
    await expect.poll(async () => (await readdir(own)).sort()).toEqual(['.DS_Store', second.batch.session]);
    expect(logged).toEqual([]);
  });

  it('leaves alone what somebody has put beside it', async () => {
    const theirs = ['case-42/report.pdf', 'case-42/scene.jpg', 'CAM-0_0123abcd/notes.txt'];
    for (const name of theirs) {
      await mkdir(dirname(join(folder.path, 'evidence', name)), { recursive: true });
      await writeFile(join(folder.path, 'evidence', name), PICTURE);
    }
    await writeFile(join(folder.path, 'evidence/CAM-0_0123abcd/old.jpg'), PICTURE);
    const { spool, batch, names } = await threeFrames();
    const evidence = open(spool, 1);
    await evidence.keep(batch, all);
    await expect.poll(kept).toEqual([names[2], 'scene.jpg'].sort());
    expect((await evidence.kept.letGo({ bytes: 1e9, files: 0 })).files).toBe(1);
    expect((await readdir(join(folder.path, 'evidence'), { recursive: true })).sort()).toEqual([...theirs, 'case-42', 'CAM-0_0123abcd'].sort());
  });

  it('of a hundred thousand pictures in one session is counted while others are kept, and trimmed after', async () => {
    const session = join(folder.path, 'evidence', 'CAM-0_0123abcd');
    await mkdir(session, { recursive: true });
    const files = Array.from({ length: 130_000 }, (_, index) => join(session, `${index}.jpg`));
    // Many names of a few files: a file system lets one have 32,000 or more.
    for (const [index, file] of files.entries()) {
      if (index % 30_000 === 0) writeFileSync(file, PICTURE);
      else linkSync(files[index - (index % 30_000)] ?? '', file);
    }
    const { spool, batch } = await threeFrames();
    const evidence = open(spool, 130_000 * PICTURE.length);
    const began = performance.now();
    await evidence.keep(batch, all);
    expect(performance.now() - began).toBeLessThan(2000);
    await expect.poll(async () => (await readdir(session)).length, { timeout: 60_000, interval: 500 }).toBe(130_000 - batch.frames.length);
    expect(logged).toEqual([]);
  }, 120_000);

  it('that cannot be written is said once and holds up no record; it is kept again when it can be', async () => {
    const { spool, batch, names } = await threeFrames();
    await writeFile(join(folder.path, 'evidence'), 'in the way');
    const evidence = open(spool);
    for (let times = 0; times < 3; times += 1) await evidence.keep(batch, all);
    expect(logged).toEqual([expect.stringMatching(/error lookout: pictures cannot be kept in .*; records go on without reason=".*ENOTDIR/)]);
    await rm(join(folder.path, 'evidence'));
    await evidence.keep(batch, all);
    expect(await kept()).toEqual(names);
  });

  it('is let go when it is asked to, also of earlier runs that are still being counted', async () => {
    const { spool, batch, names } = await threeFrames();
    await open(spool).keep(batch, all);
    const { kept: expendable } = open(spool);
    expect(await expendable.letGo({ bytes: 0, files: 2 })).toEqual({ bytes: 2 * PICTURE.length, files: 2 });
    expect(await kept()).toEqual(names.slice(2));
    expect(expendable.held()).toBe(PICTURE.length);
  });
});
