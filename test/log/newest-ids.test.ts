import { execFileSync } from 'node:child_process';
import { link, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendToIndex, replaceIndex, type IndexEntry } from '../../src/log/index-file.ts';
import { createNewestIds, type NewestIds } from '../../src/log/newest-ids.ts';
import { currentVolume } from '../../src/log/shelf.ts';
import { logFolder, type LogFolder } from './log-folder.ts';

let at: LogFolder;
let ids: NewestIds;

const entry = (id: string): IndexEntry => ({ offset: 0, length: 1, id, camera: '', time: null, models: [] });
const named = (word: string, count: number): readonly string[] => Array.from({ length: count }, (_, number) => `${word}${number}`);
const index = (): string => join(at.folder, 'records.idx');
const has = async (...asked: readonly string[]): Promise<readonly boolean[]> => Promise.all(asked.map((id) => ids.has(id)));

beforeEach(async () => {
  at = await logFolder();
  ids = createNewestIds(await currentVolume(at.files), at.log);
  await writeFile(at.files.predictions, '');
});
afterEach(() => at.remove());

describe('the ids of the newest records', () => {
  it('are the last 10,000, over the current file and rotated ones', async () => {
    await writeFile(join(at.folder, 'predictions-20250101T000000000Z.json'), '');
    await replaceIndex(join(at.folder, 'records-20250101T000000000Z.idx'), named('old', 6000).map(entry));
    await replaceIndex(index(), named('new', 6000).map(entry));
    expect(await has('new5999', 'new0', 'old5999', 'old2000', 'old1999', 'old0')).toEqual([true, true, true, true, false, false]);
    ids.add('more');
    expect(await has('more', 'old2001', 'old2000')).toEqual([true, true, false]);
  });

  it('are asked further back for what a backup may have brought, into files that were rotated after it was captured', async () => {
    const old = (day: number): IndexEntry => ({ ...entry(`C_0000000a-2025010${day}T120000000000Z`), time: `2025-01-0${day}T12:00:00.000Z` });
    for (const day of [2, 5]) {
      await writeFile(join(at.folder, `predictions-2025010${day}T180000000Z.json`), '');
      await replaceIndex(join(at.folder, `records-2025010${day}T180000000Z.idx`), [old(day)]);
    }
    await replaceIndex(index(), named('new', 10_000).map(entry));
    expect(await Promise.all([2, 5, 6].map((day) => ids.hasEver(old(day).id)))).toEqual([true, true, false]);
    expect(await has(old(5).id)).toEqual([false]);
  });

  it('are those that have one, and what a backup brought is asked about however many records share theirs', async () => {
    await replaceIndex(index(), [...named('own', 100), ...Array<string>(10_000).fill('')].map(entry));
    expect(await has('own99', 'own0', '')).toEqual([true, true, false]);
    ids.forget();
    await replaceIndex(index(), [entry('first'), ...Array<string>(9999).fill('same').map(entry), entry('last')]);
    expect(await ids.hasEver('first')).toBe(true);
  });

  it('have those of a file that is rotated while they are read', async () => {
    // A reader waits there until somebody opens it to write.
    const door = join(at.folder, 'door');
    execFileSync('mkfifo', [door]);
    await link(door, index());
    const early = has('a');
    await setTimeout(50);
    await writeFile(join(at.folder, 'predictions-20250101T000000000Z.json'), '');
    await replaceIndex(join(at.folder, 'records-20250101T000000000Z.idx'), [entry('a')]);
    await rm(index());
    await writeFile(door, '');
    expect(await early).toEqual([true]);
  });

  it('have what is appended while they are read, and read anew what others append once they are forgotten', async () => {
    await replaceIndex(index(), [entry('a')]);
    const early = has('a', 'b');
    ids.add('b');
    await early;
    expect(await has('a', 'b', 'c')).toEqual([true, true, false]);
    await appendToIndex(index(), [entry('b'), entry('c')]);
    expect(await has('c')).toEqual([false]);
    ids.forget();
    expect(await has('a', 'b', 'c')).toEqual([true, true, true]);
  });
});
