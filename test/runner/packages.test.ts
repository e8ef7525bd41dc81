/** How a node model finds its packages, which lie in an environment away from its code. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeHarness } from '../../src/runner/harness.ts';
import { temporaryFolder, writeTree } from '../models/fixtures.ts';
import { failure, frames, never, runners } from './fixtures.ts';

const { start } = runners();

/** `dual` says by which of its conditions it was found; `outer` needs an `inner` of its own. */
const ENVIRONMENT = {
  'environment/package.json': '{}',
  'environment/node_modules/dual/package.json': JSON.stringify({ exports: { '.': { import: './import.mjs', require: './require.cjs' }, './part': './part.cjs' } }),
  'environment/node_modules/dual/import.mjs': 'export default "import";',
  'environment/node_modules/dual/require.cjs': 'module.exports = "require";',
  'environment/node_modules/dual/part.cjs': 'module.exports = "part";',
  'environment/node_modules/@some/outer/package.json': '{"main": "lib/outer.js"}',
  'environment/node_modules/@some/outer/lib/outer.js': 'module.exports = require("inner") + "+" + require("dual");',
  'environment/node_modules/@some/outer/node_modules/inner/index.js': 'module.exports = "inner of outer";',
  'environment/node_modules/inner/index.js': 'module.exports = "inner";',
  'environment/node_modules/twice/index.js': 'module.exports = "of the environment";',
  'environment/node_modules/fs/index.js': 'module.exports = "no builtin";',
};

/** A model whose one finding's class is what `main.mjs` exports as `found`. It lies where an installed Lookout keeps its own. */
async function find(files: Readonly<Record<string, string>>): Promise<unknown> {
  const root = await writeTree(await temporaryFolder(), {
    ...ENVIRONMENT,
    'node_modules/lookout/models/m/model.mjs': 'import { found } from "./main.mjs";\nexport const predictFrame = () => [{ class: JSON.stringify(found), confidence: 1 }];\n',
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`node_modules/lookout/models/m/${name}`, text])),
  });
  const folder = join(root, 'node_modules/lookout/models/m');
  const words = nodeHarness(process.execPath, join(folder, 'model.mjs'), { name: 'm', folder, weights_folders: [], work_folder: root, options: {} });
  const runner = await start({ ...words, cwd: root, env: { LOOKOUT_ENVIRONMENT: join(root, 'environment'), LOOKOUT_MODEL_FOLDER: folder } });
  const { predictions: [one] } = await runner.predict(frames(1), {}, never);
  return one !== undefined && 'detections' in one ? JSON.parse(one.detections[0]?.class ?? '') : one;
}

test('import, require, dynamic imports and workers find them, by the conditions of the packages\' own exports', async () => {
  expect(await find({
    'main.mjs': `import dual from 'dual';
import part from 'dual/part';
import outer from '@some/outer';
import fs from 'fs';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import required from './near/required.cjs';
const require = createRequire(import.meta.url);
const [worker] = await once(new Worker(new URL('./worker.mjs', import.meta.url)), 'message');
export const found = [dual, part, outer, (await import('dual')).default, require('dual'), required, worker, typeof fs.readFileSync, import.meta.resolve('dual').split('/').at(-1)];
`,
    'near/required.cjs': 'module.exports = [require("dual"), require("@some/outer"), require.resolve("dual/part").split("/").at(-1)];',
    'worker.mjs': 'import dual from "dual"; import required from "./near/required.cjs"; import { parentPort } from "node:worker_threads"; parentPort.postMessage([dual, required[0]]);',
  })).toEqual([
    'import', 'part', 'inner of outer+require', 'import', 'require', ['require', 'inner of outer+require', 'part.cjs'], ['import', 'require'], 'function', 'import.mjs',
  ]);
});

test('they win over packages beside the code, which are found where the environment has none', async () => {
  expect(await find({
    'main.mjs': 'import twice from "twice";\nimport alone from "alone";\nexport const found = [twice, alone];\n',
    'node_modules/twice/index.js': 'module.exports = "beside";',
    'node_modules/alone/index.js': 'module.exports = "alone with " + require("twice");',
  })).toEqual(['of the environment', 'alone with beside']);
});

test('what a package does not export is said to be so', async () => {
  const error = await failure(find({ 'main.mjs': '\nimport gone from "dual/gone";\nexport const found = gone;\n' }));
  expect(error.message).toMatch(/gave up before it was ready: Error \[ERR_PACKAGE_PATH_NOT_EXPORTED\]: Package subpath '\.\/gone' is not defined by "exports" in .*environment\/node_modules\/dual\/package\.json/);
});
