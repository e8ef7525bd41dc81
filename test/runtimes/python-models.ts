/** Models in Python with wheels beside them, for the tests of their runtime: nothing else is to be had. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import { readCatalog } from '../../src/models/catalog.ts';
import { prepareModel } from '../../src/models/prepare.ts';
import { create } from '../../src/runtimes/python.ts';
import type { Model, Prepared, Progress } from '../../src/types.ts';
import { never, temporaryFolder, writeTree } from '../models/fixtures.ts';

export const run = promisify(execFile);
export const fixtures = join(import.meta.dirname, '../fixtures');
export const MANIFEST = 'runtime: python\nentry: detector.py\nprobe: import tinydep\n';
/** Says in its one detection which version it imported. */
export const DETECTOR = 'import tinydep\n\ndef predict(frames, options):\n    return [[{"class": tinydep.VERSION, "confidence": 1, "box": [0, 0, 1, 1]}] for _ in frames]\n';
export let wheels: string;

export const hasUv = await run('uv', ['--version']).then(() => true, () => false);
/** Ends the names of tests that are skipped without it. */
export const missesUv = hasUv ? '' : ' (missed: uv is not on the PATH)';

export async function makeWheel(folder: string, name: string, version: string, ...needs: readonly string[]): Promise<void> {
  await run('/usr/bin/python3', [join(fixtures, 'packages/make_wheel.py'), folder, name, version, ...needs]);
}

beforeAll(async () => {
  wheels = await mkdtemp(join(tmpdir(), 'lookout-wheels-'));
  for (const version of ['1.0', '2.0']) await makeWheel(wheels, 'tinydep', version);
});
afterAll(() => rm(wheels, { recursive: true, force: true }));

export interface Place {
  readonly root: string;
  readonly model: (name: string) => Promise<Model>;
  readonly prepare: (name: string, progress?: Progress, signal?: AbortSignal) => Promise<Prepared>;
}

/** Models in a folder of the user's, each with the wheels beside it; nothing else is to be had. */
export async function place(files: Readonly<Record<string, string>>, project = false): Promise<Place> {
  const root = await writeTree(await temporaryFolder(), files);
  for (const name of new Set(Object.keys(files).filter((path) => path.startsWith('models/')).map((path) => path.split('/')[1] ?? ''))) {
    await cp(wheels, join(root, 'models', name, 'wheels'), { recursive: true });
  }
  const catalog = await readCatalog({ folders: [{ path: join(root, 'models'), origin: 'user' }], project: project ? root : null, data_dir: join(root, 'data') });
  const runtime = create({ data_dir: join(root, 'data'), offline: true });
  return {
    root,
    model: (name) => catalog.get(name),
    prepare: async (name, progress = () => undefined, signal = never) => prepareModel(await catalog.get(name), runtime, progress, signal),
  };
}

export const modelFiles = (name: string, requirement: string): Readonly<Record<string, string>> => ({
  [`models/${name}/model.yaml`]: MANIFEST,
  [`models/${name}/detector.py`]: DETECTOR,
  [`models/${name}/requirements.txt`]: `${requirement}\n`,
});

/** A model that needs no package, where it is not about packages. */
export const BARE = {
  'models/bare/model.yaml': 'runtime: python\nentry: detector.py\n',
  'models/bare/detector.py': DETECTOR.replace('import tinydep', '').replace('tinydep.VERSION', '"bare"'),
};
