/** Where every frame has gone, by name, read from what a stopped Lookout has left on disk. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Batch, BatchRecord, Balance } from '../../src/types.ts';

export type Place = 'recorded' | 'dead_lettered' | 'dropped' | 'in_spool';

export interface BooksByName {
  /** For each frame, everywhere it is: one place when the books balance. */
  readonly places: ReadonlyMap<string, readonly Place[]>;
  /** Of all records, in their order. */
  readonly recordedBatches: readonly string[];
  /** Frames that were let go before they had a name. */
  readonly nameless: number;
}

interface Line {
  readonly outcome?: string;
  readonly frames: number;
  readonly files?: readonly string[];
}

export async function readBooksByName(folder: string): Promise<BooksByName> {
  const places = new Map<string, Place[]>();
  const put = (place: Place, frames: readonly string[]): void => {
    for (const frame of frames) places.set(frame, [...(places.get(frame) ?? []), place]);
  };
  const records = await parsed<BatchRecord[]>(join(folder, 'data', 'predictions.json'), []);
  for (const { batch } of records) put('recorded', batch.frames.map(({ file }) => file));

  const letters = join(folder, 'data', 'dead-letter');
  for (const name of await names(letters)) {
    const letter = await parsed<{ batch: Batch; recorded: boolean } | null>(join(letters, name, 'batch.json'), null);
    if (letter && !letter.recorded) put('dead_lettered', letter.batch.frames.map(({ key }) => key));
  }

  let nameless = 0;
  for (const { files, frames } of await dropped(join(folder, 'data'))) {
    if (files) put('dropped', files);
    else nameless += frames;
  }

  for (const session of await names(join(folder, 'frames'))) {
    put('in_spool', (await names(join(folder, 'frames', session))).filter((file) => /_\d{8}T\d{12}Z\.jpg$/.test(file)).map((file) => `${session}/${file}`));
  }
  return { places, nameless, recordedBatches: records.map(({ batch }) => batch.id) };
}

/** Sorted lists that say in words what is wrong. */
function faults(seen: ReadonlySet<string>, { places, recordedBatches }: BooksByName): Readonly<Record<string, readonly string[]>> {
  return {
    missing: [...seen].filter((frame) => !places.has(frame)).sort(),
    in_several_places: [...places].filter(([, where]) => where.length > 1).map(([frame, where]) => `${frame}: ${where.join(', ')}`).sort(),
    unseen_by_the_watcher: [...places.keys()].filter((frame) => !seen.has(frame)).sort(),
    recorded_twice: recordedBatches.filter((id, index) => recordedBatches.indexOf(id) !== index).sort(),
  };
}

/** Expects every frame that was seen in exactly one place, nothing recorded twice, and numbers that agree with the names. */
export function expectBalance(byName: BooksByName, seen: ReadonlySet<string>, books: Balance): void {
  expect(faults(seen, byName)).toEqual({ missing: [], in_several_places: [], unseen_by_the_watcher: [], recorded_twice: [] });
  const { captured, recorded, dead_lettered, dropped, in_spool } = books;
  expect({ captured, recorded, dead_lettered, in_spool, dropped: Object.values(dropped).reduce((sum, frames) => sum + frames, 0) }).toEqual({
    captured: seen.size + byName.nameless,
    recorded: count(byName, 'recorded'),
    dead_lettered: count(byName, 'dead_lettered'),
    in_spool: count(byName, 'in_spool'),
    dropped: count(byName, 'dropped') + byName.nameless,
  });
}

/** How many frames are in a place. */
export function count({ places }: BooksByName, place: Place): number {
  return [...places.values()].flat().filter((one) => one === place).length;
}

async function dropped(data: string): Promise<readonly Line[]> {
  // Where a crash came between, the old books and the new are one file under two names.
  const texts = new Set(await Promise.all(['books.1.ndjson', 'books.ndjson'].map((name) => readFile(join(data, name), 'utf8').catch(() => ''))));
  return [...texts].flatMap((text) => text.split('\n').filter(Boolean)).map((line) => JSON.parse(line) as Line).filter(({ outcome }) => outcome === 'dropped');
}

async function parsed<T>(file: string, absent: T): Promise<T> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null ? absent : JSON.parse(text) as T;
}

async function names(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
