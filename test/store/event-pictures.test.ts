/** Pictures of events within their bytes, and which of them go first. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openEventPictures, type EventPictures } from '../../src/store/event-pictures.ts';
import { openKeptEvents, type KeptEvents } from '../../src/store/kept-events.ts';
import type { Frame } from '../../src/types.ts';

let folder: string;
let kept: KeptEvents;
let pictures: EventPictures;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-pictures-'));
  await mkdir(join(folder, 'frames'));
  await open();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Four pictures may lie there. */
async function open(): Promise<void> {
  kept = await openKeptEvents(folder);
  pictures = await openEventPictures({ data_dir: folder, event_pictures_max_bytes: 400 }, { path: (key) => join(folder, 'frames', key) }, kept.has);
}

async function keep(...events: readonly string[]): Promise<void> {
  for (const event of events) {
    const frame: Frame = { key: `${event}.jpg`, captured_at: '2026-01-01T00:00:00.000Z', sequence: 0, width: 1, height: 1 };
    await writeFile(join(folder, 'frames', frame.key), Buffer.alloc(100));
    expect(await pictures.keep(event, frame)).toBe(`${event}.jpg`);
  }
}

const there = async (): Promise<readonly string[]> => (await readdir(join(folder, 'events'))).filter((name) => name.endsWith('.jpg')).map((name) => name.slice(0, -4)).sort();

it('go by age, and those of events that are to be kept after all others, also after a restart', async () => {
  await keep('a', 'b', 'c', 'd');
  await kept.set('a', true);
  await kept.set('c', true);
  await keep('e');
  expect(await there()).toEqual(['a', 'c', 'd', 'e']);
  await open();
  await keep('f');
  expect(await there()).toEqual(['a', 'c', 'e', 'f']);
  await kept.set('a', false);
  await open();
  await keep('g');
  expect(await there()).toEqual(['c', 'e', 'f', 'g']);
});

it('are let go of in two parts where room is short', async () => {
  await keep('a', 'b', 'c');
  await kept.set('a', true);
  expect([pictures.kept.held(), pictures.others.held()]).toEqual([100, 200]);
  expect(await pictures.others.letGo({ bytes: 1000, files: 0 })).toEqual({ bytes: 200, files: 2 });
  expect(await there()).toEqual(['a']);
  expect(await pictures.kept.letGo({ bytes: 1, files: 0 })).toEqual({ bytes: 100, files: 1 });
  expect(await there()).toEqual([]);
});
