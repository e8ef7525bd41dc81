/** The model `animals` with the detector of a column: how it is set up, its environment, a warm runner, the model called directly. */
import { once } from 'node:events';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createModels } from '../../dist/parts.js';
import { setupOf } from '../../dist/runtimes/tools/environment.js';
import { startOwn, stop } from './programs.mjs';

/** `cache`: the data folder where its environment is kept from one run to the next. */
export async function openAnimals(column, cache, config, signal) {
  const models = await createModels({ ...config, data_dir: cache });
  const builtIn = await models.catalog.get('animals');
  // Neither found nor fetched: the column says which detector it is.
  const model = { ...builtIn, weights: [], weights_folders: column.weights ? [column.weights] : [] };
  const prepared = await models.prepare(model, (line) => { if (!line.startsWith('npm')) console.log(`  animals: ${line}`); }, signal);
  const runner = await prepared.start(() => undefined, signal);
  return {
    runner,
    model,
    setup: setupOf(model, cache),
    environment: { LOOKOUT_ENVIRONMENT: join(cache, 'runtimes', model.name, prepared.fingerprint), LOOKOUT_MODEL_FOLDER: model.folder },
    close: () => runner.close(),
  };
}

/** The model in a process of its own with nothing around it. `look(frames)` answers the milliseconds of a call. */
export async function openDirect({ model, setup, environment }) {
  const child = startOwn('direct', [model.entry, JSON.stringify(setup)], { env: environment, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [{ detector }] = await once(child, 'message');
  return {
    detector,
    pid: child.pid,
    async look(frames) {
      child.send(frames);
      const [{ ms }] = await once(child, 'message');
      return ms;
    },
    close: () => stop(child),
  };
}

/** Builds its environment where that is missing, and lets the Lookout in this folder find it. */
export async function lendAnimals(column, root, cache, config, signal) {
  await (await openAnimals(column, cache, config, signal)).close();
  await mkdir(join(root, 'data'), { recursive: true });
  await symlink(join(cache, 'runtimes'), join(root, 'data/runtimes'));
}

/** Pictures as a runner is given them. */
export const framesOf = (pictures) => pictures.map((picture, index) => ({ index, stream: 'bench', sequence: index, captured_at: new Date(index * 3000).toISOString(), ...picture }));
