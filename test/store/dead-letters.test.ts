import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../src/lib/log.ts';
import { openBooks, type Books } from '../../src/store/books.ts';
import { openDeadLetters, type DeadLetters } from '../../src/store/dead-letters.ts';
import { createSpool, type Session, type Spool } from '../../src/store/spool.ts';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import type { Batch } from '../../src/types.ts';
import { withFewDescriptors } from '../helpers/descriptors.ts';
import { canMount } from '../helpers/small-disk.ts';
import { batchOf, PICTURE, putFrames, testFolder } from './folder.ts';

const folder = testFolder();
const ERRORS = { animals: { code: 'runner_died', message: 'gone', last_words: 'out of memory' } };

interface Desk {
  readonly spool: Spool;
  readonly books: Books;
  readonly letters: DeadLetters;
  readonly session: Session;
  readonly batch: (second: number) => Promise<Batch>;
  /** A letter of a batch that is nowhere else. */
  readonly bury: (second: number) => Promise<Batch>;
}

async function open(maxBytes = 1e9): Promise<Desk> {
  const spool = createSpool(join(folder.path, 'frames'));
  const books = await openBooks(folder.path);
  onTestFinished(() => books.close().catch(() => undefined));
  const letters = await openDeadLetters({ data_dir: folder.path, dead_letter_max_bytes: maxBytes }, spool, books);
  const session = await spool.open({ camera_id: 'CAM-1', models: ['animals'], options: { ...USUAL_STREAM_OPTIONS, batch_size: 10 } });
  const batch = async (second: number): Promise<Batch> => batchOf(session, await putFrames(spool, session, 2, second));
  return {
    spool, books, letters, session, batch,
    async bury(second) {
      const made = await batch(second);
      books.captured(made.camera_id, 2);
      await letters.add({ batch: made, errors: ERRORS, recorded: false });
      await books.settle({ camera_id: made.camera_id, batch: made.id, outcome: 'dead_lettered', frames: 2 });
      return made;
    },
  };
}

/** About what a letter takes. */
const LETTER_BYTES = 1130;

describe('the dead letters', () => {
  it('are let go where the disk is short: copies by themselves, the oldest first, and the books say why', async () => {
    const { letters, books, batch, bury } = await open();
    const [first, second] = [await bury(0), await bury(10)];
    const copy = await batch(20);
    await letters.add({ batch: copy, errors: ERRORS, recorded: true });
    expect(letters.recorded.held()).toBeGreaterThan(0);
    expect(await letters.recorded.letGo({ bytes: 1e9, files: 0 })).toMatchObject({ files: 4 });
    expect((await letters.list()).map((one) => one.batch.id).sort()).toEqual([first.id, second.id].sort());
    await letters.unrecorded.letGo({ bytes: 1, files: 0 });
    expect((await letters.list()).map((one) => one.batch.id)).toEqual([second.id]);
    expect(books.total()).toMatchObject({ captured: 4, dead_lettered: 2, dropped: { disk_full: 2 } });
    expect(books.letterDropped(first.id)).toBe(true);
  });

  it('that cannot be entered in the books stay', async () => {
    const { letters, books, bury } = await open();
    await bury(0);
    await books.close();
    await expect(letters.unrecorded.letGo({ bytes: 1, files: 0 })).rejects.toThrow();
    expect(await letters.list()).toHaveLength(1);
    expect(letters.unrecorded.held()).toBeGreaterThan(0);
  });

  it('are all read, however many there are and however few files may be open', async () => {
    const { letters, bury } = await open();
    const made = await bury(0);
    for (let nth = 0; nth < 200; nth += 1) {
      const [own, id] = [join(letters.folder, `${made.id}-${nth}`), `${made.id}-${nth}`];
      await mkdir(own);
      await writeFile(join(own, 'batch.json'), JSON.stringify({ batch: { ...made, id }, errors: {}, recorded: false }));
    }
    const passedOver: string[] = [];
    const all = await withFewDescriptors(100, () => letters.list((reason) => passedOver.push(reason)));
    expect(passedOver).toEqual([]);
    expect(all).toHaveLength(201);
  });

  it('that no file can be opened for now to read are not taken for damaged, nor for gone', async () => {
    const { letters, books, bury } = await open();
    const made = await bury(0);
    const held = letters.unrecorded.held();
    await withFewDescriptors(0, async () => {
      await expect(letters.list()).rejects.toThrow('EMFILE');
      await expect(letters.unrecorded.letGo({ bytes: 1, files: 0 })).rejects.toThrow('EMFILE');
    });
    expect(letters.unrecorded.held()).toBe(held);
    await letters.unrecorded.letGo({ bytes: 1, files: 0 });
    expect(books.letterDropped(made.id)).toBe(true);
  });

  it('keep a batch with its frames and why', async () => {
    const { letters, spool, batch } = await open();
    const made = await batch(0);
    await letters.add({ batch: made, errors: ERRORS, recorded: false });
    await spool.release(made);
    expect(await letters.list()).toEqual([{ batch: made, errors: ERRORS, recorded: false, at: expect.stringMatching(/Z$/) as string }]);
    expect((await readdir(join(letters.folder, made.id))).sort()).toEqual(['CAM-1_20260701T120000000000Z.jpg', 'CAM-1_20260701T120001000000Z.jpg', 'batch.json']);
    await letters.remove(made);
    expect(await letters.list()).toEqual([]);
  });

  it('keep a letter as it was when it is sent again', async () => {
    const { letters, batch } = await open();
    const made = await batch(0);
    await letters.add({ batch: made, errors: ERRORS, recorded: true });
    await letters.add({ batch: made, errors: {}, recorded: false });
    expect(await letters.list()).toMatchObject([{ errors: ERRORS, recorded: true }]);
  });

  it('do without a frame that somebody removed', async () => {
    const { letters, spool, batch } = await open();
    const made = await batch(0);
    await rm(spool.path(made.frames[0]?.key ?? ''));
    await letters.add({ batch: made, errors: ERRORS, recorded: false });
    expect(await letters.list()).toMatchObject([{ batch: { frames: [{}, {}] } }]);
    expect(await readdir(join(letters.folder, made.id))).toHaveLength(2);
  });

  it('are kept although somebody removed their folder meanwhile', async () => {
    const { letters, bury } = await open();
    await bury(0);
    await rm(letters.folder, { recursive: true });
    const { id } = await bury(10);
    expect((await letters.list()).map(({ batch }) => batch.id)).toEqual([id]);
  });

  it('make room for new ones: the oldest go, and the books say so', async () => {
    const { letters, books, bury } = await open(2.5 * LETTER_BYTES);
    const sent = [await bury(0), await bury(10), await bury(20), await bury(30)];
    const left = await letters.list();
    expect(left.length).toBeLessThan(4);
    expect(left.map(({ batch }) => batch.id)).toEqual(sent.slice(4 - left.length).map(({ id }) => id));
    const lost = 2 * (4 - left.length);
    expect(books.of('CAM-1')).toEqual({ captured: 8, recorded: 0, dead_lettered: 8 - lost, dropped: { dead_letter_budget: lost }, in_spool: 0 });
    expect(books.letterDropped(sent[0]?.id ?? '')).toBe(true);
  });

  it('make room by copies of recorded batches without a word in the books', async () => {
    const { letters, books, batch } = await open(1);
    for (const second of [0, 10]) await letters.add({ batch: await batch(second), errors: ERRORS, recorded: true });
    expect(await letters.list()).toHaveLength(1);
    expect(books.total().dropped).toEqual({});
  });

  it('make room by copies of recorded batches before letters that are all there is of a batch, also after a start', async () => {
    const first = await open(3.5 * LETTER_BYTES);
    const all = [await first.bury(0), await first.bury(10)];
    for (const second of [20, 30, 40]) await first.letters.add({ batch: await first.batch(second), errors: ERRORS, recorded: true });
    const left = async ({ letters }: Desk): Promise<readonly boolean[]> => (await letters.list()).map(({ recorded }) => recorded).sort();
    expect(await left(first)).toEqual([false, false, true]);
    const later = await open(2.5 * LETTER_BYTES);
    all.push(await later.bury(50));
    expect((await left(later)).every((recorded) => !recorded)).toBe(true);
    await later.letters.add({ batch: await later.batch(60), errors: ERRORS, recorded: true });
    expect(await left(later)).toEqual([false, false]);
    expect((await later.letters.list()).map(({ batch }) => batch.id).sort()).toEqual(all.slice(1).map(({ id }) => id).sort());
  });

  it('that were let go and are copied back are in the books again, and stay', async () => {
    const first = await open();
    const made = await first.bury(0);
    await cp(first.letters.folder, join(folder.path, 'backup'), { recursive: true });
    await first.letters.unrecorded.letGo({ bytes: 1, files: 0 });
    expect(await readdir(first.letters.folder)).toEqual([]);
    await first.books.close();
    await cp(join(folder.path, 'backup'), first.letters.folder, { recursive: true });
    for (let start = 0; start < 2; start += 1) {
      const { letters, books } = await open();
      expect((await letters.list()).map(({ batch }) => batch.id)).toEqual([made.id]);
      expect(books.total()).toMatchObject({ captured: 4, dead_lettered: 2, dropped: { disk_full: 2 }, in_spool: 0 });
      expect([books.settled(made.id), books.letterDropped(made.id)]).toEqual([true, false]);
      await books.close();
    }
  });

  it.each(['disk', 'budget'])('are not let go while they are entered in the books, nor before their batch is looked at again: %s', async (why) => {
    const { letters, books, batch } = await open(why === 'disk' ? 1e9 : 1);
    const made = await batch(0);
    books.captured('CAM-1', 4);
    await books.settle({ camera_id: 'CAM-1', batch: 'another', outcome: 'recorded', frames: 0 });
    await letters.holding(made, async () => {
      await letters.add({ batch: made, errors: ERRORS, recorded: false });
      if (why === 'budget') await letters.add({ batch: await batch(10), errors: ERRORS, recorded: false });
      else expect((await letters.unrecorded.letGo({ bytes: 1e9, files: 9 })).files).toBe(0);
    });
    expect(books.total()).toMatchObject({ captured: 4, dropped: {} });
    expect(await readdir(letters.folder)).toContain(made.id);
    // As after a crash: its frames are in the spool.
    const again = await open();
    expect((await again.letters.unrecorded.letGo({ bytes: 1e9, files: 9 })).files).toBe(0);
    await again.letters.remove(made);
    expect(await readdir(letters.folder)).not.toContain(made.id);
  });

  it('are still there at the next start, but for what a crash left half made or half removed', async () => {
    const first = await open();
    const kept = await first.bury(0);
    await mkdir(join(first.letters.folder, 'half.tmp'));
    await writeFile(join(first.letters.folder, 'half.tmp/frame.jpg'), PICTURE);
    await mkdir(join(first.letters.folder, 'empty'));
    const second = await open();
    expect((await second.letters.list()).map(({ batch }) => batch.id)).toEqual([kept.id]);
    expect((await readdir(second.letters.folder)).sort()).toEqual([kept.id, 'empty'].sort());
  });

  it('leave alone what somebody has put beside them, such as a letter set apart', async () => {
    const { letters, bury } = await open();
    const apart = await bury(0);
    const place = join(letters.folder, 'for-later', apart.id);
    await mkdir(join(letters.folder, 'for-later'));
    await rename(join(letters.folder, apart.id), place);
    const again = await open(1);
    const [first, second] = [await again.bury(10), await again.bury(20)];
    expect((await readdir(again.letters.folder)).sort()).toEqual([second.id, 'for-later'].sort());
    expect(await readdir(place)).toContain('batch.json');
    expect(again.books.of('CAM-1')).toMatchObject({ dropped: { dead_letter_budget: first.frames.length } });
    expect((await again.letters.unrecorded.letGo({ bytes: 1e9, files: 0 })).files).toBe(4);
    expect(await readdir(again.letters.folder)).toEqual(['for-later']);
  });

  it.skipIf(!canMount)('are open all the same where what a crash left cannot be removed (needs leave to mount)', async () => {
    const half = join(folder.path, 'dead-letter', 'half.tmp');
    await mkdir(join(half, 'busy'), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'lookout-test', join(half, 'busy')]);
    try {
      const { letters, bury } = await open();
      const kept = await bury(0);
      expect((await letters.list()).map(({ batch }) => batch.id)).toEqual([kept.id]);
    } finally {
      execFileSync('umount', [join(half, 'busy')]);
    }
  });

  it('that cannot be read are told, stay, and harm no other, until they are written anew', async () => {
    const first = await open(1);
    const [broken, other] = [await first.bury(0), await first.batch(10)];
    const file = join(first.letters.folder, broken.id, 'batch.json');
    await writeFile(file, '{"batch":');
    await cp(join(first.letters.folder, broken.id), join(first.letters.folder, 'copy'), { recursive: true });
    await writeFile(join(first.letters.folder, 'copy/batch.json'), JSON.stringify({ batch: broken, errors: {}, recorded: false }));
    const { letters } = await open(1);
    await letters.add({ batch: other, errors: ERRORS, recorded: false });
    const passedOver: string[] = [];
    expect((await letters.list((reason) => passedOver.push(reason))).map(({ batch }) => batch.id)).toEqual([other.id]);
    expect(passedOver).toHaveLength(2);
    expect(passedOver.join('\n')).toContain(`${file} cannot be read: mend it or move its folder away`);
    expect(passedOver.join('\n')).toContain('it is not the letter of this folder');
    await letters.add({ batch: broken, errors: ERRORS, recorded: false });
    expect((await letters.list()).some(({ batch }) => batch.id === broken.id)).toBe(true);
  });

  it.each<[string, (batch: Batch) => unknown]>([
    ['null', () => null], ['without errors', (batch) => ({ batch, recorded: false })], ['frames that lie elsewhere', (batch) => ({ batch: { ...batch, frames: [{ ...batch.frames[0], key: '../../precious.jpg' }] }, errors: {} })],
    ['a session that lies elsewhere', (batch) => ({ batch: { ...batch, session: '..', frames: [{ ...batch.frames[0], key: '../precious.jpg' }] }, errors: {} })],
    ['a time that is none', (batch) => ({ batch: { ...batch, frames: [{ ...batch.frames[0], captured_at: 7 }] }, errors: {} })],
  ])('are told in one line at the start where their notes are nonsense, and stay: %s', async (_what, nonsense) => {
    const { letters, spool, books, bury } = await open();
    const file = join(letters.folder, (await bury(0)).id, 'batch.json');
    await writeFile(file, JSON.stringify(nonsense(await bury(10))));
    const lines: string[] = [];
    const again = await openDeadLetters({ data_dir: folder.path, dead_letter_max_bytes: 1e9 }, spool, books, undefined, createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) }));
    expect(await again.list()).toHaveLength(1);
    expect(lines).toEqual([expect.stringContaining(`1 dead letters in ${letters.folder} cannot be read; they stay where they lie first="${file}`)]);
  });

  it('are in the books again after these were moved away, and can be replayed or dropped to nothing less than zero', async () => {
    const first = await open();
    const [sent] = [await first.bury(0), await first.bury(10)];
    await first.letters.add({ batch: await first.batch(20), errors: ERRORS, recorded: true });
    await first.books.close();
    await rename(join(folder.path, 'books.ndjson'), join(folder.path, 'old.ndjson'));
    const second = await open();
    expect(second.books.of('CAM-1')).toEqual({ captured: 4, recorded: 0, dead_lettered: 4, dropped: {}, in_spool: 0 });
    expect(second.books.settled(sent.id)).toBe(true);
    await second.books.reopen(sent);
    expect(second.books.of('CAM-1')).toEqual({ captured: 4, recorded: 0, dead_lettered: 2, dropped: {}, in_spool: 2 });
    await second.books.close();
    expect((await open()).books.of('CAM-1')).toMatchObject({ captured: 2, dead_lettered: 2 });
  });
});
