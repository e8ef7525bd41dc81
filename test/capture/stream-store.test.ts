import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStreamStore, type StoredStream } from '../../src/capture/stream-store.ts';

const stream = (camera_id: string | number): StoredStream => ({ camera_id, url: 'rtsp://u:secret@h/x', models: ['motion'], options: { batch_size: 2 }, enabled: true });

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-store-'));
  file = join(folder, 'streams.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the store of streams', () => {
  it('gives back what was saved last, ids as they were sent', async () => {
    const store = createStreamStore(folder);
    await store.save([stream('a')]);
    await store.save([stream('a'), stream(7)]);
    expect(await createStreamStore(folder).load()).toEqual([stream('a'), stream(7)]);
  });

  it('is empty at first', async () => {
    expect(await createStreamStore(folder).load()).toEqual([]);
  });

  it('is for its owner\'s eyes only, also where the file was not', async () => {
    await writeFile(file, '[]', { mode: 0o644 });
    await createStreamStore(folder).save([stream('a')]);
    expect(((await stat(file)).mode & 0o777).toString(8)).toBe('600');
  });

  it('saves in the order in which it was asked', async () => {
    const store = createStreamStore(folder);
    await Promise.all(Array.from({ length: 20 }, (_, number) => store.save([stream(number)])));
    expect(await store.load()).toEqual([stream(19)]);
  });

  it('goes on after a save that failed', async () => {
    const store = createStreamStore(join(folder, 'absent'));
    await expect(store.save([])).rejects.toThrow('ENOENT');
    await expect(store.save([])).rejects.toThrow('ENOENT');
    const other = createStreamStore(folder);
    await other.save([stream('a')]);
    expect(JSON.parse(await readFile(file, 'utf8'))).toHaveLength(1);
  });

  it.each(['{', '{"a": 1}', '[1]'])('refuses a file that holds %s, and leaves it', async (text) => {
    await writeFile(file, text);
    await expect(createStreamStore(folder).load()).rejects.toMatchObject({ code: 'file_damaged', message: expect.stringContaining(file) as string });
    expect(await readFile(file, 'utf8')).toBe(text);
  });
});
