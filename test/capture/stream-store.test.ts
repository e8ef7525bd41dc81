import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStreamStore, type StoredStream, type StreamStore } from '../../src/capture/stream-store.ts';
import { streamFault } from '../../src/config/check.ts';
import { createLog } from '../../src/lib/log.ts';

const stream = (camera_id: string | number): StoredStream => ({ camera_id, url: 'rtsp://u:secret@h/x', models: ['motion'], options: { batch_size: 2 }, enabled: true });

let folder: string;
let file: string;
let lines: string[];
const open = (data_dir = folder): StreamStore => createStreamStore({ data_dir, faultOf: streamFault, log: createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) }) });

beforeEach(async () => {
  lines = [];
  folder = await mkdtemp(join(tmpdir(), 'lookout-store-'));
  file = join(folder, 'streams.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the store of streams', () => {
  it('gives back what was saved last, ids as they were sent', async () => {
    const store = open();
    await store.save([stream('a')]);
    await store.save([stream('a'), stream(7)]);
    expect(await open().load()).toEqual([stream('a'), stream(7)]);
  });

  it('is empty at first', async () => {
    expect(await open().load()).toEqual([]);
  });

  it('is for its owner\'s eyes only, also where the file was not', async () => {
    await writeFile(file, '[]', { mode: 0o644 });
    await open().save([stream('a')]);
    expect(((await stat(file)).mode & 0o777).toString(8)).toBe('600');
  });

  it('saves in the order in which it was asked', async () => {
    const store = open();
    await Promise.all(Array.from({ length: 20 }, (_, number) => store.save([stream(number)])));
    expect(await store.load()).toEqual([stream(19)]);
  });

  it('goes on after a save that failed', async () => {
    const store = open(join(folder, 'absent'));
    await expect(store.save([])).rejects.toThrow('ENOENT');
    await expect(store.save([])).rejects.toThrow('ENOENT');
    const other = open();
    await other.save([stream('a')]);
    expect(JSON.parse(await readFile(file, 'utf8'))).toHaveLength(1);
  });

  const damaged = async (): Promise<readonly string[]> => (await readdir(folder)).filter((name) => name.startsWith('streams.damaged-'));

  it.each([
    ['nothing', ''], ['half a list', '['], ['no list', '{"a": 1}'], ['null', 'null'], ['zeros', '\0'.repeat(50)], ['numbers', '[1, null, "rtsp://u:secret@h/x"]'], ['no JSON at all', '@%&: ['],
  ])('begins anew where the file holds %s, and keeps that', async (_what, text) => {
    await writeFile(file, text, { mode: 0o600 });
    expect(await open().load()).toEqual([]);
    const [aside = ''] = await damaged();
    expect(await readFile(join(folder, aside), 'utf8')).toBe(text);
    expect(lines).toEqual([expect.stringContaining(`is kept as ${join(folder, aside)} reason=`)]);
    expect(lines.join()).not.toContain('secret');
    expect(await open().load()).toEqual([]);
    expect([await damaged(), lines.length]).toEqual([[aside], 1]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['interval_seconds', { options: { interval_seconds: 'x; rm' } }, 'options.interval_seconds must be a number'],
    ['batch_size', { options: { batch_size: 1e9 } }, 'options.batch_size must be a whole number, 1 to 100, not 1000000000'],
    ['an option of nobody', { options: { shell: 'rm' } }, 'options.shell unknown setting'],
    ['camera_id', { camera_id: '../etc' }, 'camera_id must have'],
    ['url', { url: 'rtsp://u:secret@h/a b' }, 'url must be an address'],
    ['models', { models: [] }, 'models must not be empty'],
    ['models of numbers', { models: [7] }, 'models.0 must be text'],
    ['enabled', { enabled: 'yes' }, 'enabled must be true or false'],
    ['started_at', { started_at: 'yesterday' }, 'started_at is no time'],
    ['options that are none', { options: null }, 'options must be'],
    ['something else', { origin: 'yaml' }, 'origin unknown setting'],
  ])('loses no more than the entry that is wrong: %s', async (_what, wrong, reason) => {
    await writeFile(file, JSON.stringify([stream('a'), { ...stream('b'), ...wrong }, stream('c')]));
    expect(await open().load()).toEqual([stream('a'), stream('c')]);
    expect(lines).toEqual([expect.stringContaining(reason)]);
    expect(lines.join()).not.toContain('secret');
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual([stream('a'), stream('c')]);
    expect(await damaged()).toHaveLength(1);
  });

  it('gives back what is whole in a torn file, wherever it is torn', async () => {
    const streams = [stream('a'), stream('b'), stream('c')];
    const text = `${JSON.stringify(streams, null, 2)}\n`;
    for (let end = 1; end < text.length - 3; end += 7) {
      await writeFile(file, text.slice(0, end));
      const loaded = await open().load();
      // As many as are closed before the end, or all but their closing.
      const closed = text.slice(0, end).match(/\n  \}/g)?.length ?? 0;
      expect(loaded, `torn at ${end}`).toEqual(streams.slice(0, loaded.length));
      expect(loaded.length - closed, `torn at ${end}`).toBeOneOf([0, 1]);
    }
  });
});
