import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeHarness, pythonHarness } from '../../src/runner/harness.ts';
import { parseLine, predictLine, type PredictMessage } from '../../src/runner/messages.ts';
import { parseOutput } from '../../src/runner/one-shot-output.ts';
import { folder, frames, never, python, runners } from './fixtures.ts';
import { full } from './findings.ts';

const { start, logs } = runners();
const readme = await readFile(join(import.meta.dirname, '../../runners/README.md'), 'utf8');

/** The code block whose fence says `kind`. */
function block(kind: string): string {
  const found = readme.split(`\`\`\`${kind}\n`)[1]?.split('```')[0];
  if (found === undefined) throw new Error(`the README has no block ${kind}`);
  return found;
}

function linesAfter(arrow: string): string[] {
  return readme.split('\n').filter((line) => line.startsWith(`${arrow} {`)).map((line) => line.slice(2));
}

test('every message that the README shows of a runner is one, to the letter', () => {
  const messages = linesAfter('←').map((line) => [parseLine(line), JSON.parse(line)] as const);
  expect(new Set(messages.map(([{ type }]) => type))).toEqual(new Set(['ready', 'result', 'failed', 'fatal']));
  for (const [parsed, shown] of messages) expect(parsed).toEqual(shown);
});

test('every call that the README shows is what Lookout sends', () => {
  const calls = linesAfter('→');
  expect(calls).toHaveLength(2);
  for (const call of calls) expect(predictLine(JSON.parse(call) as PredictMessage)).toBe(`${call}\n`);
});

test('the table of the README has everything that a finding may say', () => {
  const table = readme.slice(readme.indexOf('## What a finding may say'), readme.indexOf('## Speaking the protocol yourself'));
  expect(['class', 'confidence', ...[...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)]).toEqual(Object.keys(full));
});

test('the output that the README shows keeps the one-shot contract', () => {
  expect(parseOutput(block('json output'), frames(2))).toEqual({
    predictions: [
      { index: 0, detections: [{ class: 'dog', confidence: 0.91, box: [10, 20.5, 110, 220] }] },
      { index: 1, error: { code: 'bad_frame', message: 'not a picture' } },
    ],
    inference_ms: 49,
  });
});

test('every page names the oldest Python that environments are made with', async () => {
  const read = (file: string): Promise<string> => readFile(join(import.meta.dirname, '../..', file), 'utf8');
  const [, major = '', minor = ''] = /version_info >= \((\d+), (\d+)\)/.exec(await read('src/runtimes/tools/interpreter.ts')) ?? [];
  for (const page of ['runners/README.md', 'models/README.md', 'runners/python/harness.py']) {
    expect([...(await read(page)).matchAll(/Python (3\.\d+)/g)].map(([, version]) => version), page).toEqual([`${major}.${minor}`]);
  }
});

describe('the programs of the README', () => {
  const setup = { name: 'dogs', folder, weights_folders: [], work_folder: folder, options: {} };
  const found = { predictions: [{ index: 0, detections: [{ class: 'dog', confidence: 0.9, box: [0, 0, 640, 480] }] }] };
  let work: string;
  beforeAll(async () => { work = await mkdtemp(join(tmpdir(), 'lookout-readme-')); });
  afterAll(() => rm(work, { recursive: true }));

  async function save(name: string, text: string): Promise<string> {
    await writeFile(join(work, name), text);
    return join(work, name);
  }

  test('the Python model runs', async () => {
    const runner = await start({ ...pythonHarness(python, await save('dogs.py', block('python harness')), setup), cwd: work, env: {} });
    expect(runner.ready).toEqual({ detector: 'example', labels: ['dog'], device: 'cpu', mix: true, slots: 1 });
    expect(await runner.predict(frames(1), {}, never)).toMatchObject(found);
    expect(logs).toContain('loading dogs {}');
  });

  test('the Node model runs', async () => {
    const runner = await start({ ...nodeHarness(process.execPath, await save('dogs.mjs', block('js harness')), setup), cwd: work, env: {} });
    expect(runner.ready).toEqual({ detector: 'example', labels: ['dog'], device: 'cpu', mix: true, slots: 1 });
    expect(await runner.predict(frames(1), {}, never)).toMatchObject(found);
    expect(logs).toContain('loading dogs {}');
  });

  test('the runner without a harness runs', async () => {
    const runner = await start({ file: python, args: [await save('own.py', block('python protocol'))], cwd: work, env: {} });
    expect(await runner.predict(frames(2), {}, never)).toEqual({ predictions: [{ index: 0, detections: [] }, { index: 1, detections: [] }], inference_ms: 0 });
  });
});
