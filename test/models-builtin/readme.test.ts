/** models/README.md: its examples are models that run, and its table has the manifest's keys. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/lib/package.ts';
import { readCatalog } from '../../src/models/catalog.ts';
import { nodeHarness, pythonHarness } from '../../src/runner/harness.ts';
import { startRunner } from '../../src/runner/start.ts';
import type { Model } from '../../src/types.ts';
import { python } from '../runner/fixtures.ts';
import { framesOf } from './pictures.ts';

const readme = readFileSync(join(packageRoot, 'models/README.md'), 'utf8');
const never = new AbortController().signal;
let work: string;

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'lookout-readme-'));
});

afterEach(() => {
  rmSync(work, { recursive: true });
});

function block(language: string): string {
  const [, text] = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(readme) ?? [];
  if (text === undefined) throw new Error(`the README has no block of ${language}`);
  return text;
}

/** The example as a model among the user's. */
async function model(files: Readonly<Record<string, string>>): Promise<Model> {
  const folder = join(work, 'models', 'darkness');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return (await readCatalog({ folders: [{ path: join(work, 'models'), origin: 'user' }], project: null, data_dir: work })).get('darkness');
}

async function findings({ name, folder, options, entry }: Model, harness: 'python' | 'node', env: Readonly<Record<string, string>>): Promise<unknown> {
  const setup = { name, folder, options, weights_folders: [], work_folder: work };
  const words = harness === 'python' ? pythonHarness(python, entry, setup) : nodeHarness(process.execPath, entry, setup);
  const runner = await startRunner({ ...words, cwd: folder, env }, { model: name, start_deadline_ms: 20_000, onLog: () => undefined }, never);
  try {
    const picture = join(work, 'picture.jpg');
    writeFileSync(picture, Uint8Array.of(0xff, 0xd8, 0xff, 0xd9));
    return (await runner.predict(framesOf([picture], { width: 64, height: 48 }), options, never)).predictions;
  } finally {
    await runner.close();
  }
}

const dark = [{ index: 0, detections: [{ class: 'dark', confidence: 1, box: [0, 0, 64, 48] }] }];

describe('an example of the README', () => {
  it('is a Python model that runs', async () => {
    const example = await model({ 'model.yaml': block('yaml python'), 'darkness.py': block('python') });
    const stubs = { PYTHONPATH: join(import.meta.dirname, 'stubs'), PYTHONDONTWRITEBYTECODE: '1' };
    expect(await findings(example, 'python', stubs)).toEqual(dark);
  });

  it('is a Node model that runs on packages from its environment', async () => {
    const example = await model({ 'model.yaml': block('yaml node'), 'darkness.mjs': block('js'), 'package.json': block('json') });
    const stub = join(work, 'environment/node_modules/sharp');
    mkdirSync(stub, { recursive: true });
    writeFileSync(join(stub, 'index.js'), 'module.exports = () => ({ stats: async () => ({ channels: [{ mean: 0 }] }) });');
    expect(await findings(example, 'node', { LOOKOUT_ENVIRONMENT: join(work, 'environment'), LOOKOUT_MODEL_FOLDER: example.folder })).toEqual(dark);
  });
});

it('has every key of the manifest in its table, and no other', async () => {
  const table = readme.slice(readme.indexOf('## The manifest'), readme.indexOf('## Weights'));
  const keys = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
  const unknown = model({ 'model.yaml': 'runtime: node\nentry: a.mjs\nzzzzzzzzzzzzzzzzzzzz: 1' });
  const [, known = ''] = /known: (.*)$/m.exec(await unknown.then(() => '', (error: unknown) => String(error))) ?? [];
  expect(keys.toSorted()).toEqual(known.split(', ').toSorted());
});
