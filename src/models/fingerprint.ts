/** The two hashes of a model: of what its environment is made from, and of its own code and weights. */
import { basename, dirname, isAbsolute } from 'node:path';
import type { Model } from '../types.ts';
import { contents, shortHash } from './hashing.ts';
import { followRequirements } from './requirement-files.ts';
import { findWeights } from './weights.ts';

/** What the runtime puts in: interpreter and its full version, platform, architecture, libc, harness, … */
export type Facts = Readonly<Record<string, string>>;

/**
 * Names an environment: changes when a requirement file, a lock file, a local package, one of the `further` files and
 * folders or one of the facts changes.
 * Anything larger than 16 MB counts by name, size and time of change instead of its content.
 */
export async function fingerprint(model: Model, facts: Facts, further: readonly string[] = []): Promise<string> {
  const files = [...(await followRequirements(model.requirements, model.folder)), ...further];
  const words = await Promise.all(files.map((file) => contents(file, model.folder)));
  return shortHash([...words.flat(), ...Object.entries(facts).sort().map(([key, value]) => `${key}=${value}`)]);
}

/** Changes when the model's folder, its program or its weights change: then its runner is started anew. */
export async function codeHash(model: Model): Promise<string> {
  const outside = [model.entry, ...(await findWeights(model))].filter((file) => isAbsolute(file) && !file.startsWith(`${model.folder}/`));
  const words = await Promise.all([
    contents(model.folder, model.folder),
    ...outside.map((file) => contents(file, dirname(file))),
  ]);
  return shortHash([model.version, basename(model.entry), ...words.flat()]);
}
