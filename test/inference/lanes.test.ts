/** What is told of every model, over real model folders and runners. */
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createLanes, type Lanes } from '../../src/inference/lanes.ts';
import { createTally } from '../../src/inference/tally.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import { readCatalog } from '../../src/models/catalog.ts';
import { create as createNode } from '../../src/runtimes/node.ts';
// The first model would wait while it is made of TypeScript, and the tests wait for seconds.
import '../../src/runtimes/tools/node.ts';
import type { Config, Look, ModelStatus } from '../../src/types.ts';
import { openedFiles } from '../helpers/opened-files.ts';
import { temporaryFolder, writeTree } from '../models/fixtures.ts';

const SETTINGS = {
  model_deadline_seconds: 10, model_retries: 0, runner_restarts: 5, runner_restart_window_seconds: 60, runner_idle_seconds: 600, queue_total: 200, batch_size: 10,
} as Config;
const SOON = { timeout: 10_000 };
const MANIFEST = 'runtime: node\nentry: main.mjs\n';

interface Bench {
  readonly root: string;
  readonly lanes: Lanes;
  readonly log: readonly string[];
  readonly of: (name: string) => Promise<ModelStatus | undefined>;
  readonly warm: (name: string) => Promise<void>;
}

async function open(files: Readonly<Record<string, string>>): Promise<Bench> {
  const root = await writeTree(await temporaryFolder(), files);
  const catalog = await readCatalog({ folders: [{ path: join(root, 'models'), origin: 'user' }], project: null, data_dir: join(root, 'data') });
  const runtime = createNode({ data_dir: join(root, 'data'), offline: true });
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) });
  const tally = createTally(systemClock, log);
  const lanes = createLanes({
    catalog, prepare: (...given) => runtime.prepare(...given), settings: SETTINGS, settingUp: () => undefined, tally, clock: systemClock, log,
    view: (keys) => Promise.resolve({ files: keys, close: () => Promise.resolve() }),
  });
  onTestFinished(async () => {
    tally.close();
    await lanes.close();
  });
  return {
    root, lanes, log: lines,
    of: async (name) => (await lanes.statuses()).find((model) => model.name === name),
    async warm(name) {
      lanes.of(name).warm();
      await expect.poll(() => lanes.of(name).readiness, SOON).toBe('ready');
    },
  };
}

let sequence = 0;
const look = (lanes: Lanes, name: string): Promise<Look> => lanes.of(name).look(
  { key: `frame-${sequence += 1}`, captured_at: '2025-03-01T12:00:00.000Z', sequence, width: 640, height: 480 },
  { camera_id: 'CAM-1', session: 'CAM-1_0a1b2c3d', interval_seconds: 3, batch_size: 10, from: 'live' }, new AbortController().signal);

it('keeps a model whose folder is gone while its runner works, and shows another version only once that works', async () => {
  const { root, lanes, of, warm } = await open({
    'models/dogs/model.yaml': `${MANIFEST}version: "1"\nsection: stray_animal\n`, 'models/dogs/main.mjs': 'export const predict = () => [];', 'models/cats/model.yaml': MANIFEST,
  });
  await warm('dogs');
  await writeFile(join(root, 'models/dogs/model.yaml'), `${MANIFEST}version: "2"\nsection: nothing_yet\nsetup_deadline_seconds: 0\n`);
  await expect.poll(() => of('dogs'), SOON).toMatchObject({ version: '1', state: 'ready', successor: { state: 'failed', reason: expect.stringContaining('setup_deadline_seconds must be > 0') as string } });
  await rm(join(root, 'models/dogs'), { recursive: true });
  expect(await of('dogs')).toMatchObject({ version: '1', section: 'stray_animal', state: 'ready', runners: [{ number: 0 }] });
  await expect.poll(() => of('dogs'), SOON).toMatchObject({ state: 'ready', successor: { reason: expect.stringContaining('there is no model "dogs"') as string } });
  expect((await lanes.statuses()).map(({ name }) => name)).toEqual(['cats', 'dogs']);
  expect(lanes.sectionOf('dogs')).toBe('stray_animal');
  await mkdir(join(root, 'models/dogs'));
  await writeFile(join(root, 'models/dogs/main.mjs'), 'export const predict = () => [];');
  await writeFile(join(root, 'models/dogs/model.yaml'), `${MANIFEST}version: "3"\nsection: pothole\n`);
  await expect.poll(() => of('dogs'), SOON).toMatchObject({ version: '3', section: 'pothole', state: 'ready', successor: null });
  expect(lanes.sectionOf('dogs')).toBe('pothole');
});

it('keeps the last 200 lines that a model printed, whatever the level of the log, also of one that did not come up', async () => {
  const { lanes, log, warm } = await open({
    'models/loud/model.yaml': MANIFEST,
    'models/loud/main.mjs': 'for (let i = 0; i < 300; i += 1) console.log(`line ${i}`); console.log("from http://me:secret@example.org/weights"); export const predict = () => [];',
    'models/broken/model.yaml': MANIFEST, 'models/broken/main.mjs': 'console.error("no weights"); process.exit(3);',
  });
  expect(await lanes.printsOf('loud')).toEqual([]);
  await warm('loud');
  const lines = async (): Promise<readonly string[]> => (await lanes.printsOf('loud')).map(({ text }) => text);
  await expect.poll(async () => (await lines()).at(-1), SOON).toBe('from http://***@example.org/weights');
  const [oldest, ...rest] = await lines();
  expect([oldest, rest.length, rest[0]]).toEqual([expect.stringMatching(/^line 101$|^\(\d+ lines were let go here/), 199, 'line 102']);
  expect(log.join('')).not.toContain('line 299');
  lanes.of('broken').warm();
  await expect.poll(() => lanes.printsOf('broken'), SOON).toMatchObject([{ at: expect.any(String) as string, text: 'no weights' }]);
  await expect(lanes.printsOf('toString')).rejects.toMatchObject({ code: 'not_found' });
});

it('reads each folder once for all who ask at about the same time', async () => {
  const { lanes } = await open({ 'models/cats/model.yaml': MANIFEST, 'models/dogs/model.yaml': MANIFEST });
  expect(await openedFiles(async () => {
    await Promise.all([lanes.statuses(), lanes.statuses()]);
    expect((await lanes.statuses()).map(({ name }) => name)).toEqual(['cats', 'dogs']);
  })).toBe(2);
});

it('takes models for what they are whose names every object has', async () => {
  const { lanes, of, warm } = await open({
    'models/constructor/model.yaml': MANIFEST, 'models/constructor/main.mjs': 'export const predict = () => [];', 'models/toString/model.yaml': 'runtime: [half',
  });
  await warm('constructor');
  expect(await of('constructor')).toMatchObject({ state: 'ready', section: null });
  expect((await of('toString'))?.reason).toContain('its manifest is wrong');
  expect(['constructor', 'toString', 'valueOf'].map((name) => lanes.sectionOf(name))).toEqual([null, null, null]);
});

it('gives a set-up the time that the manifest says', async () => {
  const { lanes, of } = await open({
    'models/slow/model.yaml': `${MANIFEST}setup_deadline_seconds: 0.3\n`, 'models/slow/main.mjs': 'await new Promise((resolve) => setTimeout(resolve, 60_000));',
  });
  lanes.of('slow').warm();
  await expect.poll(() => of('slow'), SOON).toMatchObject({ state: 'failed', reason: expect.stringContaining('not ready within 0.3 s; where its set-up takes longer, raise setup_deadline_seconds') as string });
});

it.skipIf(process.platform !== 'linux')('tells what each runner holds of the memory, with what it started', async () => {
  const { of, warm } = await open({
    'models/big/model.yaml': `${MANIFEST}instances: 2\n`,
    'models/big/main.mjs': `
      import { spawn } from 'node:child_process';
      const own = Buffer.alloc(150e6, 1);
      await new Promise((resolve) => spawn(process.execPath, ['-e', 'globalThis.held = Buffer.alloc(150e6, 1); console.log("held"); setInterval(() => 0, 1e6)']).stdout.once('data', resolve));
      export const predict = (frames) => frames.map(() => [{ class: String(own.length), confidence: 1 }]);
    `,
  });
  await warm('big');
  const { runners = [] } = (await of('big')) ?? {};
  expect(runners).toMatchObject([{ number: 0 }]);
  expect(runners[0]?.memory_bytes).toBeGreaterThan(300e6);
  expect(runners[0]?.memory_bytes).toBeLessThan(900e6);
});

it.skipIf(process.platform !== 'linux')('ends a model that grows beyond its memory_mb, says so and asks it anew, while others go on', async () => {
  const { lanes, log, of, warm } = await open({
    'models/greedy/model.yaml': `${MANIFEST}memory_mb: 300\n`,
    'models/greedy/main.mjs': `
      const held = [];
      export const predict = (frames) => {
        if (held.length < 6) held.push(Buffer.alloc(60e6, 1));
        return frames.map(() => [{ class: String(held.length), confidence: 1 }]);
      };
    `,
    'models/modest/model.yaml': MANIFEST, 'models/modest/main.mjs': 'export const predict = (frames) => frames.map(() => [{ class: "dog", confidence: 1 }]);',
  });
  await Promise.all([warm('greedy'), warm('modest')]);
  await expect.poll(async () => {
    const [greedy, modest] = await Promise.all(['greedy', 'modest'].map((name) => look(lanes, name)));
    expect([greedy, modest]).toMatchObject([{ detections: [{}] }, { detections: [{ class: 'dog' }] }]);
    return of('greedy');
  }, SOON).toMatchObject({ restarts: 1 });
  expect(log.join('')).toMatch(/greedy: runner ended .*it took [34]\d\d MB of memory, more than its memory_mb of 300/);
  expect(await look(lanes, 'greedy')).toMatchObject({ detections: [{ class: expect.stringMatching(/^[1-3]$/) as string }] });
  expect(await of('modest')).toMatchObject({ restarts: 0, state: 'ready' });
});

it('hears one model beside another that prints without end', async () => {
  const { lanes, warm } = await open({
    'models/endless/model.yaml': MANIFEST,
    'models/endless/main.mjs': `
      import { spawn } from 'node:child_process';
      spawn('yes', { stdio: ['ignore', 'inherit', 'inherit'] });
      export const predict = () => [];
    `,
    'models/modest/model.yaml': MANIFEST, 'models/modest/main.mjs': 'export const predict = (frames) => frames.map(() => []);',
  });
  await warm('endless');
  await warm('modest');
  const printed = async (): Promise<readonly string[]> => (await lanes.printsOf('endless')).map(({ text }) => text);
  await expect.poll(async () => (await printed()).length, SOON).toBe(200);
  const [letGo = '', ...last] = await printed();
  expect([letGo, new Set(last)]).toEqual([expect.stringMatching(/^\(\d+ lines were let go here/), new Set(['y'])]);
  for (let call = 0; call < 50; call += 1) expect(await look(lanes, 'modest')).toMatchObject({ detections: [] });
}, 20_000);

it('gives a model a working folder of its own, which outlives its runners, and says where it computes', async () => {
  const { root, lanes, log, of, warm } = await open({
    'models/notes/model.yaml': MANIFEST,
    'models/notes/main.mjs': `
      import { appendFileSync, readFileSync } from 'node:fs';
      export function setup({ work_folder }) {
        appendFileSync('notes.txt', 'started\\n');
        return { detector: readFileSync('notes.txt', 'utf8').split('\\n').length - 1 + ' starts, ' + (work_folder === process.cwd()), device: 'abacus' };
      }
      export const predict = () => [];
    `,
  });
  expect(await of('notes')).toMatchObject({ state: 'idle', device: null });
  await warm('notes');
  expect(await of('notes')).toMatchObject({ state: 'ready', device: 'abacus' });
  expect(log.join('')).toContain('notes: ready reason="1 starts, true" device=abacus\n');
  expect(lanes.of('notes').status().detector).toBe('1 starts, true');
  await appendFile(join(root, 'models/notes/main.mjs'), '// edited');
  await expect.poll(() => of('notes'), SOON).toMatchObject({ detector: '2 starts, true', successor: null });
  const notes = join(root, 'data/work/notes/notes.txt');
  expect(await readFile(notes, 'utf8')).toBe('started\nstarted\n');
  expect(dirname(notes)).not.toContain('models/');
});
