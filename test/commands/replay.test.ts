/** `lookout replay` on letters as a server leaves them, with small real models. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { batchId, frameFile } from '../../src/store/names.ts';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import type { Batch, BatchRecord, EventEntry } from '../../src/types.ts';
import { until } from '../helpers/app.ts';
import { command } from '../helpers/command.ts';
import { makePicture } from '../helpers/http-camera.ts';
import { runLookout } from '../helpers/server-process.ts';
import { PICTURE, testFolder } from '../store/folder.ts';

const folder = testFolder();
const MODELS: Readonly<Record<string, string>> = {
  finding: 'return frames.map(() => [{ class: "thing", confidence: 0.9, box: [0, 0, 2, 2] }]);',
  blank: 'return frames.map(() => []);',
  looking: 'return frames.map(({ file, width, height }) => [{ class: `${readFileSync(file).toString("hex", 0, 3)} ${width}x${height}`, confidence: 0.9 }]);',
  refusing: 'throw new Error("cannot look");',
};

beforeEach(async () => {
  for (const [name, body] of Object.entries(MODELS)) {
    const own = join(folder.path, 'models', name);
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'model.yaml'), 'runtime: node\nentry: model.mjs\n');
    await writeFile(join(own, 'model.mjs'), `import { readFileSync } from 'node:fs';\nexport function predict(frames) { ${body} }\n`);
  }
});

const SETTINGS = { LOOKOUT_MODEL_RETRIES: '0', LOOKOUT_LOG_LEVEL: 'error', LOOKOUT_BATCH_SIZE: '4' };

async function replay(...words: readonly string[]): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const { code, output } = await command(['replay', ...words], { folder: folder.path, env: SETTINGS });
  return { code, lines: output.trimEnd().split('\n') };
}

/** A batch of one frame in a folder of its own. */
async function batchIn(place: string, number: number, models: readonly string[]): Promise<{ readonly batch: Batch; readonly folder: string }> {
  const session = `CAM_${number.toString(16).padStart(8, '0')}`;
  const captured_at = new Date(Date.UTC(2026, 6, 1) + number * 1000).toISOString();
  const frames = [{ key: `${session}/${frameFile('CAM', captured_at)}`, captured_at, sequence: 0, width: 4, height: 2 }];
  const batch: Batch = { id: batchId(session, frameFile('CAM', captured_at)), camera_id: 'CAM', session, closed_by: 'count', frames, models, options: USUAL_STREAM_OPTIONS, attempts: 0 };
  const own = join(folder.path, place === 'frames' ? join(place, session) : join(place, batch.id));
  await mkdir(own, { recursive: true });
  await writeFile(join(own, frameFile('CAM', captured_at)), PICTURE);
  return { batch, folder: own };
}

async function letter(number: number, model: string, recorded = false): Promise<Batch> {
  const { batch, folder: own } = await batchIn('data/dead-letter', number, [model]);
  const errors = { [model]: { code: 'runner_died', message: 'gone' } };
  await writeFile(join(own, 'batch.json'), JSON.stringify({ batch, errors, recorded, at: batch.frames[0]?.captured_at }));
  return batch;
}

async function leftByTheServer(number: number, model: string): Promise<void> {
  const { batch, folder: own } = await batchIn('frames', number, [model]);
  await writeFile(join(own, 'session.json'), JSON.stringify({ lookout: 1, name: batch.session, camera_id: 'CAM', models: [model], batch_size: 10, started_at: '2026-07-01T00:00:00Z' }));
  await writeFile(join(own, `${batch.id}.json`), JSON.stringify(batch));
}

async function pictures(count: number): Promise<readonly string[]> {
  const files = Array.from({ length: count }, (_, number) => join(folder.path, `X_20260701T1200${String(number).padStart(2, '0')}000000Z.jpg`));
  for (const file of files) await writeFile(file, PICTURE);
  return files;
}

const letters = async (): Promise<readonly string[]> => readdir(join(folder.path, 'data/dead-letter'));
const records = async (): Promise<readonly BatchRecord[]> => JSON.parse(await readFile(join(folder.path, 'data/predictions.json'), 'utf8')) as BatchRecord[];

describe('dead letters', () => {
  it('are told one by one: recorded, nothing found, or dead letters again, which is a failure', async () => {
    const [found, blank, refused] = [await letter(1, 'finding'), await letter(2, 'blank'), await letter(3, 'refusing')];
    const { code, lines } = await replay('--record-when', 'found');
    expect(lines).toContain(`recorded ${found.id}`);
    expect(lines).toContain(`${blank.id}: nothing found, nothing to record`);
    expect(lines.find((line) => line.startsWith(`${refused.id}: a dead letter again: `))).toContain('cannot look');
    expect([code, lines.at(-1)]).toEqual([1, '3 submitted, 1 recorded, 1 with nothing found, 1 dead letters again']);
    expect(await letters()).toEqual([refused.id]);
  });

  it('that find nothing are done when only findings are recorded', async () => {
    await letter(1, 'blank');
    const { code, lines } = await replay('--record-when', 'found');
    expect([code, lines.at(-1)]).toEqual([0, '1 submitted, 0 recorded, 1 with nothing found']);
  });

  it('are not confused with batches that the server left, which make events as they would have', async () => {
    for (const number of [1, 2]) await leftByTheServer(number, 'finding');
    await letter(3, 'refusing');
    await letter(4, 'looking');
    await writeFile(join(folder.path, 'data', 'lookout.yaml'), 'events:\n  - name: all\n    models: [finding, looking]\n');
    const { code, lines } = await replay();
    expect([code, lines.at(-1)]).toEqual([1, '2 submitted, 1 recorded, 1 dead letters again']);
    expect(await records()).toHaveLength(3);
    const events = (await readFile(join(folder.path, 'data/events.ndjson'), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as EventEntry);
    expect(events.map((event) => [event.state, event.class, event.began_at])).toEqual([['begun', 'thing', '2026-07-01T00:00:01.000Z']]);
  });

  it('of recorded batches are kept until a model is named', async () => {
    const { id } = await letter(1, 'refusing', true);
    const kept = await replay();
    expect(kept).toEqual({ code: 0, lines: [
      `${id}: recorded already without refusing; its frames lie in ${join(folder.path, 'data/dead-letter', id)}, --model runs models over them`,
      '0 submitted, 0 recorded',
    ] });
    expect(await letters()).toEqual([id]);
    const again = await replay('--model', 'finding');
    expect([again.code, again.lines.at(-1)]).toEqual([0, '1 submitted, 1 recorded']);
    expect(await letters()).toEqual([]);
    expect((await records()).map(({ models }) => Object.keys(models))).toEqual([['finding']]);
  });

  it('that cannot be read are named, and the others go on', async () => {
    const [first, second] = [await letter(1, 'finding'), await letter(2, 'finding')];
    const file = join(folder.path, 'data/dead-letter', first.id, 'batch.json');
    await writeFile(file, '{"batch":');
    const { code, lines } = await replay();
    expect(lines[0]).toContain(`${file} cannot be read`);
    expect(lines).toContain(`recorded ${second.id}`);
    expect([code, lines.at(-1)]).toEqual([1, '1 submitted, 1 recorded, 1 cannot be replayed']);
    expect(await letters()).toEqual([first.id]);
  });

  it('are left alone when no model has the name given', async () => {
    const { id } = await letter(1, 'finding');
    const { code, lines } = await replay('--model', 'finding,findign');
    expect([code, lines[0]]).toEqual([2, expect.stringContaining('there is no model "findign"; known models: ')]);
    expect(await letters()).toEqual([id]);
    expect(await readdir(join(folder.path))).not.toContain('frames');
  });

  it('wait for another time after Ctrl-C', async () => {
    for (let number = 0; number < 400; number += 1) await letter(number, 'blank');
    const running = await runLookout(['replay', '--record-when', 'found'], { folder: folder.path, env: SETTINGS });
    const begun = async (): Promise<boolean> => (await readdir(join(folder.path, 'frames')).catch(() => [])).some((name) => name.startsWith('CAM_'));
    await until(begun, 40_000, running.output);
    running.kill('SIGINT');
    expect(await running.ended, running.output()).toBe(130);
    expect((await letters()).length).toBeGreaterThan(0);
  });
});

describe('stored frames', () => {
  it('become batches of the usual size, in the order of their times', async () => {
    const files = await pictures(10);
    const { code, lines } = await replay('--camera', 'X', '--model', 'finding', ...files.toReversed());
    expect([code, lines.at(-1)]).toEqual([0, '3 submitted, 3 recorded']);
    const times = (await records()).map(({ batch }) => batch.frames.map(({ captured_at }) => Number(captured_at.slice(17, 19))));
    expect(times.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))).toEqual([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]);
  });

  it('of other kinds, or that lie turned, are shown as upright JPEGs, and one that is no picture before anything begins', async () => {
    const jpeg = await makePicture('mjpeg', '64x48');
    const turned = Buffer.from('ffe1002245786966000049492a0008000000010012010300010000000600000000000000', 'hex');
    const files = { 'a.png': await makePicture('png', '32x16'), 'b.jpg': Buffer.concat([jpeg.subarray(0, 2), turned, jpeg.subarray(2)]), 'c.gif': Buffer.from('GIF89a\x08\0\x08\0', 'latin1'), 'd.svg': '<svg width="8" height="8"/>' };
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder.path, name), content);
    for (const name of ['c.gif', 'd.svg']) {
      const { code, lines } = await replay('--camera', 'X', '--model', 'looking', 'a.png', name);
      expect([code, lines[0]]).toEqual([1, expect.stringContaining(`lookout: ${name} cannot be read as a picture: `)]);
    }
    const { code, lines } = await replay('--camera', 'X', '--model', 'looking', 'a.png', 'b.jpg');
    expect([code, lines.at(-1)]).toEqual([0, '1 submitted, 1 recorded']);
    const [record] = await records();
    expect(record?.batch.frames).toHaveLength(2);
    for (const seen of ['ffd8ff 32x16', 'ffd8ff 48x64']) expect(JSON.stringify(record)).toContain(seen);
  });

  it('that are not there are named without a stack', async () => {
    const { code, lines } = await replay('--camera', 'X', '--model', 'finding', 'absent.jpg');
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^lookout: absent\.jpg cannot be read as a picture: .*ENOENT/);
    expect(lines.join('\n')).not.toMatch(/\n\s+at /);
  });

  it.each([
    [['picture.jpg']], [['--camera', 'X', 'picture.jpg']], [['--model', 'finding', 'picture.jpg']],
    [['--camera', '../X', '--model', 'finding', 'picture.jpg']], [['--model', ',']],
  ])('need a camera and models: %j is a usage mistake', async (words) => {
    expect((await replay(...words)).code).toBe(2);
  });
});
