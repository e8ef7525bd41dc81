/** The demo as a stranger runs it, with models that need nothing. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fail, narrateModels } from '../../src/commands/demo.ts';
import { FAULTS, faultOf } from '../../src/demo/index.ts';
import { command } from '../helpers/command.ts';
import { createFakeFace } from '../helpers/fake-face.ts';
import { runLookout } from '../helpers/server-process.ts';

const QUICK = { LOOKOUT_PORT: '0', LOOKOUT_INTERVAL_SECONDS: '0.5', LOOKOUT_BATCH_SIZE: '2' };

interface Demo {
  /** Its working folder. */
  readonly folder: string;
  /** What it said until it ended. */
  readonly output: () => string;
}

type Words = (words: readonly string[], options: { readonly folder: string; readonly env: Readonly<Record<string, string>> }) => Promise<{ readonly code: number | null; readonly output: string }>;

const asProcess: Words = async (words, options) => {
  const running = await runLookout(words, options);
  try {
    return { code: await running.ended, output: running.output() };
  } finally {
    running.kill('SIGKILL');
  }
};

/** One whole demo with one record of each camera, before the tests of a suite; `prepare` fills its folder. */
function demo(run: Words, flags: readonly string[], env: Readonly<Record<string, string>>, prepare: (folder: string) => Promise<unknown>): Demo {
  let folder = '';
  let output = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lookout-demo-'));
    await prepare(folder);
    const ended = await run(['demo', '--records', '1', ...flags], { folder, env: { ...QUICK, ...env } });
    expect(ended.code, ended.output).toBe(0);
    output = ended.output;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return { get folder() { return folder; }, output: () => output };
}

describe('in a data folder that the environment names, with a stream that the API had started', () => {
  const env = { LOOKOUT_DEFAULT_MODELS: 'motion', LOOKOUT_DATA_DIR: 'mine', LOOKOUT_LOG_LEVEL: 'debug' };
  const stream = { camera_id: 'DEMO-CAM', url: 'rtsp://127.0.0.1:9/street', models: ['motion'], options: {}, enabled: true };
  const run = demo(asProcess, ['--fault', 'stall'], env, async (folder) => {
    await mkdir(join(folder, 'mine'));
    await writeFile(join(folder, 'mine/streams.json'), JSON.stringify([stream]));
  });

  it('is ruled by the environment like every command', async () => {
    expect(run.output()).toMatch(/ debug /);
    expect(run.output()).toContain(`appended to ${join(run.folder, 'mine/predictions.json')}`);
    expect(await readdir(run.folder)).toEqual(['mine']);
  });

  it('says when a camera that fails is well', () => {
    expect(run.output()).toContain('DEMO-CAM: the camera is well for 15 s\n');
  });

  it('watches its cameras at the port of today', () => {
    for (const camera of ['DEMO-CAM', 'DEMO-PASTURE']) expect(run.output()).toContain(`record ${camera}_`);
  });
});

describe.each(['v1', 'v2', 'v3'])('with records of %s in a data folder that a flag names', (format) => {
  const run = demo(command, ['--data-dir', 'there'], { LOOKOUT_DEFAULT_MODELS: 'eyes,more,own', LOOKOUT_RECORD_FORMAT: format }, async (folder) => {
    for (const [name, section, thing] of [['eyes', 'stray_animal', 'cow'], ['more', 'stray_animal', 'dog'], ['own', 'null', 'car']] as const) {
      const own = join(folder, 'models', name);
      await mkdir(own, { recursive: true });
      await writeFile(join(own, 'model.yaml'), `runtime: node\nentry: model.mjs\nsection: ${section}\nweights:\n  - file: "absent*.onnx"\n    required: false\n`);
      await writeFile(join(own, 'model.mjs'), `export const predict = (frames) => frames.map(() => [{ class: '${thing}', confidence: 1, box: [0, 0, 9, 9] }]);\n`);
    }
  });

  it('keeps its frames there too', async () => {
    expect((await readdir(run.folder)).sort()).toEqual(['models', 'there']);
    expect(await readdir(join(run.folder, 'there'))).toContain('frames');
  });

  it('tells each step of a model\'s set-up', () => {
    for (const model of ['eyes', 'more', 'own']) expect(run.output()).toContain(`${model}: the weights absent*.onnx are not there; going on without them\n`);
  });

  it('tells what was found, whatever the section is called', () => {
    // Another record may come while it stops.
    const [, first = ''] = run.output().split(/^record /m);
    expect([...first.matchAll(/^ {2}(\w+) \(.*\): (.*) in \d+ ms$/gm)].map(([, model, found]) => `${model ?? ''}: ${found ?? ''}`)).toEqual([
      expect.stringMatching(/^eyes: \d x cow$/), expect.stringMatching(/^more: \d x dog$/), expect.stringMatching(/^own: \d x car$/),
    ]);
  });
});

it('reads the models\' folders once a second at most', async () => {
  const face = createFakeFace();
  const stop = new AbortController();
  const atMs: number[] = [];
  vi.spyOn(face, 'models').mockImplementation(() => {
    atMs.push(performance.now());
    if (atMs.length === 3) stop.abort();
    return Promise.resolve([]);
  });
  await narrateModels({ face }, stop.signal);
  const [first = 0, second = 0, third = 0] = atMs;
  // Timers may fire a millisecond early.
  expect(Math.min(second - first, third - second)).toBeGreaterThan(990);
});

it('lets a camera fail by turns, and says what it does', async () => {
  const stop = new AbortController();
  const became: unknown[] = [];
  const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const relay = {
    become: (rules: unknown) => {
      if (became.push(rules) === 4) stop.abort();
      return Promise.resolve();
    },
  };
  await fail('CAM', faultOf('mute'), relay, stop.signal, 20);
  const printed = print.mock.calls.map(([text]) => String(text));
  print.mockRestore();
  expect(became).toEqual([null, FAULTS.mute, null, FAULTS.mute]);
  expect(printed.slice(0, 2)).toEqual(['CAM: the camera is well for 0.02 s\n', 'CAM: the camera takes connections and says nothing for 0.02 s\n']);
});

it('lists the faults there are for who names another', async () => {
  const { code, output } = await command(['demo', '--fault', 'help'], { folder: tmpdir(), env: QUICK });
  expect(code).toBe(2);
  expect(output).toContain('no fault \'help\'');
  for (const [name, { summary }] of Object.entries(FAULTS)) expect(output).toContain(`  ${name.padEnd(17)}${summary}\n`);
});
