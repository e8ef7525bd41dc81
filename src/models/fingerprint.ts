/** What a model is made of, and its two hashes: of what its environment is made from, and of its own code and weights. */
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Model } from '../types.ts';
import { contents, shortHash, type Content } from './hashing.ts';
import { manifestPaths } from './manifest.ts';
import { followRequirements } from './requirement-files.ts';
import { findWeights } from './weights.ts';

/** What the runtime puts in: interpreter and as much of its version as packages are built for, platform, architecture, libc, harness, … */
export type Facts = Readonly<Record<string, string>>;

/**
 * Names an environment: changes when a requirement file, a lock file, a local package, one of the `further` files and
 * folders or one of the facts changes.
 * What is larger than 16 MB or cannot be read counts by name, size and time of change instead of its content.
 */
export async function fingerprint(model: Model, facts: Facts, further: readonly string[] = []): Promise<string> {
  const files = [...(await followRequirements(model.requirements, model.folder)), ...further];
  const words = await Promise.all(files.map((file) => contents(file, model.folder)));
  return shortHash([...words.flat().map(({ word }) => word), ...Object.entries(facts).sort().map(([key, value]) => `${key}=${value}`)]);
}

/** The files of a model, by path. */
export interface ModelFiles {
  readonly files: ReadonlyMap<string, Content>;
  /** Those that the model is known to be made of: its manifest, program, requirements, wheels and weights. */
  readonly declared: ReadonlySet<string>;
}

/** All that lies in the model's folder, and what belongs to it and lies elsewhere. */
export async function modelFiles(model: Model): Promise<ModelFiles> {
  const { folder, entry, requirements } = model;
  const declared = [entry, ...(await findWeights(model)), ...(await followRequirements(requirements, folder))].filter((file) => isAbsolute(file));
  const isInside = (path: string): boolean => path.startsWith(`${folder}/`);
  const files = new Map<string, Content>();
  const add = (found: readonly Content[]): void => { for (const content of found) files.set(content.path, content); };
  add(await contents(folder, folder));
  // They count wherever they lie, also behind a link, or where tools leave things behind.
  const further = declared.filter((file) => !files.has(file));
  const found = await Promise.all(further.map((file) => contents(file, isInside(file) ? folder : dirname(file))));
  // What is not in the folder has no part in it: it is gone, or has yet to appear.
  add(found.flat().filter(({ path, changed_ms }) => changed_ms > 0 || !isInside(path)));
  const wheels = [...files.keys()].filter((path) => path.startsWith(join(folder, 'wheels/')));
  return { files, declared: new Set([...manifestPaths(folder), ...declared, ...wheels]) };
}

/** Changes when one of these files does, or the model's program is another one. */
export function codeHash({ version, entry }: Model, files: Iterable<Content>): string {
  return shortHash([version, basename(entry), ...[...files].map(({ word }) => word)]);
}
