import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../src/lib/log.ts';
import { openBooks, type Books, type BookEntry } from '../../src/store/books.ts';
import { testFolder } from './folder.ts';

const folder = testFolder();
const file = (): string => join(folder.path, 'books.ndjson');

async function open(): Promise<Books> {
  const books = await openBooks(folder.path);
  onTestFinished(() => books.close().catch(() => undefined));
  return books;
}

async function again(books: Books): Promise<Books> {
  await books.close();
  return open();
}

const entry = (change: Partial<BookEntry> = {}): BookEntry => ({ camera_id: 'a', batch: 'a-1', outcome: 'recorded', frames: 10, ...change });
const NOTHING = { captured: 0, recorded: 0, dead_lettered: 0, dropped: {}, in_spool: 0 };

describe('the books', () => {
  it('balance whatever becomes of frames', async () => {
    const books = await open();
    books.captured('a', 35);
    books.captured('a');
    await books.settle(entry());
    await books.settle(entry({ batch: 'a-2', outcome: 'dead_lettered' }));
    await books.settle(entry({ batch: 'a-3', outcome: 'dropped', reason: 'queue_full', files: ['x'] }));
    await books.settle(entry({ batch: null, outcome: 'dropped', reason: 'slow_consumer', frames: 2 }));
    expect(books.of('a')).toEqual({ captured: 38, recorded: 10, dead_lettered: 10, dropped: { queue_full: 10, slow_consumer: 2 }, in_spool: 6 });
  });

  it('are kept for each camera and summed up for all', async () => {
    const books = await open();
    books.captured('a', 10);
    books.captured('b', 20);
    await books.settle(entry());
    await books.settle(entry({ camera_id: 'b', batch: 'b-1', outcome: 'dropped', reason: 'queue_full' }));
    expect(books.of('b')).toEqual({ ...NOTHING, captured: 20, dropped: { queue_full: 10 }, in_spool: 10 });
    expect(books.of('c')).toEqual(NOTHING);
    expect(books.total()).toEqual({ captured: 30, recorded: 10, dead_lettered: 0, dropped: { queue_full: 10 }, in_spool: 10 });
  });

  it('remember what was settled, but not what is in the spool, which says so itself', async () => {
    let books = await open();
    books.captured('a', 15);
    await books.settle(entry());
    books = await again(books);
    expect(books.of('a')).toEqual({ ...NOTHING, captured: 10, recorded: 10 });
    expect([books.settled('a-1'), books.settled('a-2')]).toEqual([true, false]);
  });

  it('give what they tell as a copy', async () => {
    const books = await open();
    books.captured('a', 10);
    await books.settle(entry({ outcome: 'dropped', reason: 'queue_full' }));
    Object.assign(books.of('a').dropped, { queue_full: 99 });
    Object.assign(books.total().dropped, { queue_full: 99 });
    expect(books.of('a').dropped).toEqual({ queue_full: 10 });
  });

  it('take a dead letter back into the spool', async () => {
    let books = await open();
    books.captured('a', 10);
    await books.settle(entry({ outcome: 'dead_lettered' }));
    await books.reopen({ id: 'a-1', camera_id: 'a', frames: Array.from({ length: 10 }, () => ({ key: '', captured_at: '', sequence: 0, width: 1, height: 1 })) });
    expect(books.of('a')).toEqual({ ...NOTHING, captured: 10, in_spool: 10 });
    expect(books.settled('a-1')).toBe(false);
    books = await again(books);
    expect(books.of('a')).toEqual(NOTHING);
    books.captured('a', 10);
    await books.settle(entry());
    expect(books.of('a')).toEqual({ ...NOTHING, captured: 10, recorded: 10 });
  });

  it('move a dead letter that made room out of its column', async () => {
    let books = await open();
    books.captured('a', 10);
    await books.settle(entry({ outcome: 'dead_lettered' }));
    await books.settle(entry({ outcome: 'dropped', reason: 'dead_letter_budget', from: 'dead_lettered' }));
    const told = { ...NOTHING, captured: 10, dropped: { dead_letter_budget: 10 } };
    expect(books.of('a')).toEqual(told);
    books = await again(books);
    expect(books.of('a')).toEqual(told);
    expect([books.letterDropped('a-1'), books.letterDropped('a-2')]).toEqual([true, false]);
  });

  it('write one line after the other, however many are asked for at once', async () => {
    let books = await open();
    books.captured('a', 1000);
    await Promise.all(Array.from({ length: 100 }, (_, number) => books.settle(entry({ batch: `a-${number}` }))));
    expect((await readFile(file(), 'utf8')).trim().split('\n').map((line) => (JSON.parse(line) as BookEntry).batch)).toEqual(Array.from({ length: 100 }, (_, number) => `a-${number}`));
    books = await again(books);
    expect(books.of('a').recorded).toBe(1000);
  });

  it('pass over a last line that a crash tore, and write whole ones after it', async () => {
    let books = await open();
    await books.settle(entry());
    await books.close();
    await appendFile(file(), '{"camera_id":"a","batch":"a-2","outc');
    books = await open();
    expect(books.of('a').recorded).toBe(10);
    await books.settle(entry({ batch: 'a-3' }));
    books = await again(books);
    expect(books.of('a').recorded).toBe(20);
  });

  it.each([
    ['zeros', '\0\0\0'], ['no JSON', '{"camera_id": "a", "batch"'], ['null', 'null'], ['a list', '[]'], ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x7b])],
    ['frames below nothing', JSON.stringify(entry({ frames: -5000 }))], ['half a frame', JSON.stringify(entry({ frames: 0.5 }))],
    ['more than can be counted', '{"camera_id":"a","batch":"a-9","outcome":"recorded","frames":1e99}'],
    ['an outcome of nobody', JSON.stringify({ ...entry(), outcome: 'eaten' })], ['no camera', JSON.stringify({ ...entry(), camera_id: 7 })],
    ['names that are none', JSON.stringify({ ...entry(), files: 'x' })], ['letters from elsewhere', JSON.stringify({ ...entry(), from: 'recorded' })],
    ['a sum of nonsense', '{"checkpoint":{"a":{"recorded":-1,"dead_lettered":0,"dropped":{}}},"settled":[]}'], ['a sum of nothing', '{"checkpoint":null,"settled":[]}'],
    ['a letter of nobody', '{"reopened":7,"camera_id":"a","frames":1}'],
  ])('lose no more than a line that says nothing, and keep the file with it: %s', async (_what, line) => {
    const text = Buffer.concat([Buffer.from(`${JSON.stringify(entry())}\n`), Buffer.from(line), Buffer.from(`\n${JSON.stringify(entry({ batch: 'a-2' }))}\n`)]);
    await writeFile(file(), text);
    const lines: string[] = [];
    let books = await openBooks(folder.path, undefined, createLog({ level: 'info', format: 'text', write: (told) => lines.push(told) }));
    expect(books.of('a')).toEqual({ ...NOTHING, captured: 20, recorded: 20 });
    const aside = join(folder.path, (await readdir(folder.path)).find((name) => name.startsWith('books.damaged-')) ?? '');
    expect(await readFile(aside)).toEqual(text);
    expect(lines).toEqual([expect.stringMatching(new RegExp(`kept as ${aside} lines=2 of=3 bad=1`))]);
    await books.settle(entry({ batch: 'a-3' }));
    books = await again(books);
    expect(books.of('a').recorded).toBe(30);
    expect((await readdir(folder.path)).filter((name) => name.startsWith('books.damaged-'))).toHaveLength(1);
  });

  it('take what a damaged sum stood for from the older file, once', async () => {
    let books = await open();
    await books.settle(entry({ files: ['x'.repeat(9 * 1024 * 1024)] }));
    await books.settle(entry({ camera_id: 'b', batch: 'b-1' }));
    for (let run = 0; run < 2; run += 1) {
      await books.close();
      const [, ...rest] = (await readFile(file(), 'utf8')).split('\n');
      await writeFile(file(), ['{"checkpo', ...rest].join('\n'));
      books = await open();
      expect([books.of('a').recorded, books.of('b').recorded]).toEqual([10, 10]);
    }
  });

  it('never owe dead letters, although the line is lost that brought them', async () => {
    let books = await open();
    await books.reopen({ id: 'a-1', camera_id: 'a', frames: [{ key: 'k', captured_at: '', sequence: 0, width: 1, height: 1 }] });
    books = await again(books);
    expect(books.of('a').dead_lettered).toBe(0);
  });

  it('begin anew with their totals when they have grown, and keep the old ones beside them', async () => {
    let books = await open();
    await books.settle(entry());
    await books.settle(entry({ batch: 'a-2', outcome: 'dropped', reason: 'queue_full', files: ['x'.repeat(9 * 1024 * 1024)] }));
    await books.settle(entry({ camera_id: 'b', batch: 'b-1' }));
    expect((await stat(file())).size).toBeLessThan(10_000);
    expect((await stat(join(folder.path, 'books.1.ndjson'))).size).toBeGreaterThan(9 * 1024 * 1024);
    for (let run = 0; run < 2; run += 1) {
      expect(books.total()).toMatchObject({ recorded: 20, dropped: { queue_full: 10 } });
      expect(['a-1', 'a-2', 'b-1', 'b-2'].map((batch) => books.settled(batch))).toEqual([true, true, true, false]);
      books = await again(books);
    }
  });

  it('forget single batches in the end, never their numbers', async () => {
    let books = await open();
    await books.close();
    await writeFile(file(), Array.from({ length: 6000 }, (_, number) => `${JSON.stringify(entry({ batch: `a-${number}`, frames: 1 }))}\n`).join(''));
    books = await open();
    expect(books.of('a').recorded).toBe(6000);
    expect([books.settled('a-0'), books.settled('a-5999')]).toEqual([false, true]);
  });
});
