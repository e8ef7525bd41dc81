/** Clips on the disk: there as a whole or not at all, within their bytes, and known again after a restart. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLog } from '../../src/lib/log.ts';
import { openClips, type ClipOf, type Clips } from '../../src/store/clips.ts';
import type { ClipFacts } from '../../src/types.ts';

let data_dir: string;
let said: string[];
beforeEach(async () => {
  data_dir = await mkdtemp(join(tmpdir(), 'lookout-clips-'));
  said = [];
});
afterEach(() => rm(data_dir, { recursive: true, force: true }));

const open = (clips_max_bytes = 1e9): Promise<Clips> => openClips({ data_dir, clips_max_bytes }, () => Promise.resolve(), (event) => event === 'to keep', createLog({ level: 'debug', format: 'text', write: (line) => said.push(line) }));

const of = (camera_id: string): ClipOf => ({ camera_id, made_of: 'video', events: [] });

const facts = (second: number): ClipFacts => ({ begins_at: `2026-11-20T12:00:${String(second).padStart(2, '0')}.250Z`, seconds: 10, codec: 'h264', width: 640, height: 360, reason: null });
const recorded = (second: number, bytes = 1000) => async (file: string): Promise<ClipFacts> => {
  await writeFile(file, Buffer.alloc(bytes, second));
  return facts(second);
};
const inFolder = (): Promise<readonly string[]> => readdir(join(data_dir, 'clips'));

it('a clip is there with its facts, by camera and newest first, also after a restart', async () => {
  const clips = await open();
  const first = await clips.keep(of('CAM 1/a'), recorded(1));
  expect(first).toEqual({ ...facts(1), id: expect.stringMatching(/^CAM%201%2Fa_20261120T120001250000Z_[0-9a-f]{8}$/) as string, camera_id: 'CAM 1/a', bytes: 1000, made_of: 'video', events: [] });
  const second = await clips.keep(of('CAM-2'), recorded(2));
  const again = await clips.keep(of('CAM-2'), recorded(2));
  expect(again.id).not.toBe(second.id);
  for (const one of [clips, await open()]) {
    expect(one.list({ limit: 10 }).map(({ begins_at }) => begins_at)).toEqual([second, again, first].map(({ begins_at }) => begins_at));
    expect(one.list({ limit: 1 })).toHaveLength(1);
    expect(one.list({ camera_id: 'CAM 1/a', limit: 10 })).toEqual([first]);
    expect(one.get(first.id)).toEqual(first);
    expect(await readFile(one.file(first.id) ?? '')).toEqual(Buffer.alloc(1000, 1));
    for (const id of ['nothing', '..', '../clips', `${first.id}/clip.mp4`]) expect([one.get(id), one.file(id)]).toEqual([null, null]);
  }
});

it('one with an id that is taken comes in place of that clip, and is found by the events that it shows', async () => {
  const clips = await open();
  const { id } = await clips.keep({ ...of('CAM-1'), events: ['a'] }, recorded(1));
  const longer = await clips.keep({ ...of('CAM-1'), id, events: ['a', 'b'] }, recorded(1, 3000));
  for (const one of [clips, await open()]) {
    expect([one.list({ limit: 10 }), one.ofEvent('a'), one.ofEvent('b'), one.ofEvent('c')]).toEqual([[longer], longer, longer, null]);
    expect((await readFile(one.file(id) ?? '')).length).toBe(3000);
    expect(one.others.held()).toBeLessThan(5000 + 8192);
  }
  expect(await inFolder()).toEqual([id]);
});

it('while a longer one comes in place of a clip, there is one', async () => {
  const clips = await open();
  const { id } = await clips.keep({ ...of('CAM-1'), events: ['a'] }, recorded(1));
  let isOver = false as boolean;
  const replaced = clips.keep({ ...of('CAM-1'), id, events: ['a', 'b'] }, recorded(1, 3000)).finally(() => { isOver = true; });
  const missing: string[] = [];
  while (!isOver) {
    if (!existsSync(clips.file(id) ?? '')) missing.push('its video');
    if (!clips.get(id) || !clips.ofEvent('a')) missing.push('it');
    await new Promise(setImmediate);
  }
  await replaced;
  expect(missing).toEqual([]);
});

it('nothing is left of one that cannot be recorded, or whose recording a crash ended', async () => {
  const clips = await open();
  await expect(clips.keep(of('CAM-1'), async (file) => {
    await writeFile(file, 'half');
    throw new Error('the camera was lost');
  })).rejects.toThrow('the camera was lost');
  await expect(clips.keep(of('CAM-1'), () => Promise.resolve(facts(1)))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await inFolder()).toEqual([]);
  await mkdir(join(data_dir, 'clips', '0123abcd.tmp'));
  await writeFile(join(data_dir, 'clips', '0123abcd.tmp', 'clip.mp4'), 'half');
  expect((await open()).list({ limit: 10 })).toEqual([]);
  expect(await inFolder()).toEqual([]);
});

it('leaves alone what is no clip, and says so', async () => {
  await mkdir(join(data_dir, 'clips', 'holiday'), { recursive: true });
  const nonsense = ['', '[]', 'null', '{"events": null}', '{"camera_id": "C", "begins_at": "2026-11-20T12:00:00Z", "events": "abc"}'];
  for (const [number, text] of nonsense.entries()) {
    await mkdir(join(data_dir, 'clips', String(number)));
    await writeFile(join(data_dir, 'clips', String(number), 'clip.json'), text);
  }
  expect((await open(0)).list({ limit: 10 })).toEqual([]);
  expect(await inFolder()).toHaveLength(1 + nonsense.length);
  expect(said.join('')).toMatch(/holiday is no clip/);
  expect(said).toHaveLength(1 + nonsense.length);
});

it('the oldest go when there are more than clips_max_bytes, and when room is asked for', async () => {
  const clips = await open(3500);
  const made = [];
  for (const second of [1, 2, 3, 4]) made.push(await clips.keep(of('CAM-1'), recorded(second, 800)));
  const left = (): readonly string[] => clips.list({ limit: 10 }).map(({ id }) => id);
  expect(left().length).toBeLessThan(4);
  expect(left()[0]).toBe(made[3]?.id);
  expect(await inFolder()).toHaveLength(left().length);
  const before = left().length;
  const gone = await clips.others.letGo({ bytes: 1, files: 1 });
  expect(gone.bytes).toBeGreaterThanOrEqual(800);
  expect(left()).toHaveLength(before - 1);
});

it('one that somebody removed by hand holds up neither a removal nor the room that is asked for', async () => {
  const clips = await open();
  const [first, second, third] = [await clips.keep(of('CAM-1'), recorded(1)), await clips.keep(of('CAM-1'), recorded(2)), await clips.keep(of('CAM-1'), recorded(3))];
  for (const { id } of [first, second]) await rm(join(data_dir, 'clips', id), { recursive: true });
  expect(await clips.remove(first.id)).toBe(true);
  await clips.others.letGo({ bytes: 1, files: 1 });
  expect(clips.list({ limit: 10 }).map(({ id }) => id)).toEqual([third.id]);
});

it('those of events that are to be kept go after all others, and last where room is short', async () => {
  const clips = await open(2500 + 3 * 600);
  const kept = await clips.keep({ ...of('CAM-1'), events: ['another', 'to keep'] }, recorded(1));
  for (const second of [2, 3, 4]) await clips.keep({ ...of('CAM-1'), events: ['another'] }, recorded(second));
  expect(clips.list({ limit: 9 }).map(({ begins_at }) => begins_at)).toContain(kept.begins_at);
  expect(clips.list({ limit: 9 }).length).toBeLessThan(4);
  await clips.others.letGo({ bytes: 1e9, files: 0 });
  expect(clips.list({ limit: 9 }).map(({ id }) => id)).toEqual([kept.id]);
  await clips.kept.letGo({ bytes: 1, files: 0 });
  expect(clips.list({ limit: 9 })).toEqual([]);
});

it('one that is removed is gone, and counted no more', async () => {
  const clips = await open();
  const { id } = await clips.keep(of('CAM-1'), recorded(1));
  const file = clips.file(id) ?? '';
  expect(await clips.remove(id)).toBe(true);
  expect(await clips.remove(id)).toBe(false);
  expect([existsSync(file), clips.get(id), clips.others.held()]).toEqual([false, null, 0]);
});
