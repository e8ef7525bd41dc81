/** Models that tell when they are called, in the models folder of a Lookout that is measured. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../../dist/lib/package.js';
import { programFile } from './programs.mjs';

const BUILT_IN = join(packageRoot, 'models');

/** Answers `calls()`: what it was asked until now, `{began, ended, frames: [{stream, captured_at}]}` each, in milliseconds. */
export async function addWatched(root, name, { module, options, ...manifest }) {
  const folder = join(root, 'models', name);
  // Outside the model's folder, whose every change would start it anew.
  const journal = join(root, `${name}.calls`);
  await mkdir(folder, { recursive: true });
  await writeFile(journal, '');
  await writeFile(join(folder, 'watched.mjs'), `export * from '${programFile('watched')}';\n`);
  await writeFile(join(folder, 'model.json'), JSON.stringify({ ...manifest, name, runtime: 'node', entry: 'watched.mjs', options: { ...options, module, journal } }));
  return {
    calls: async () => (await readFile(journal, 'utf8')).split('\n').slice(0, -1).map((line) => JSON.parse(line)),
  };
}

/** One that sleeps so long for each frame. */
export function addSleeping(root, name, ms) {
  return addWatched(root, name, { module: programFile('sleeping'), options: { ms }, mix: true });
}

/** The built-in model with this column's weights, under its own name. */
export async function addWatchedAnimals(root, weights) {
  const folder = join(BUILT_IN, 'animals');
  const { entry, ...manifest } = parse(await readFile(join(folder, 'model.yaml'), 'utf8'));
  const watched = await addWatched(root, 'animals', { ...manifest, module: join(folder, entry) });
  for (const file of ['package.json', 'package-lock.json']) await cp(join(folder, file), join(root, 'models/animals', file));
  await addWeights(root, weights);
  return watched;
}

/** null: none, the embedded detector looks. */
export async function addWeights(root, weights) {
  if (weights) await cp(weights, join(root, 'models/animals'), { recursive: true });
}
