/** Makes the families out of their folders, and the models: what app.ts and the commands share. */
import { join } from 'node:path';
import { LookoutError } from './errors.ts';
import { loadFamily, type Member } from './lib/family.ts';
import type { Log } from './lib/log.ts';
import { packageRoot } from './lib/package.ts';
import { readCatalog, type Catalog } from './models/catalog.ts';
import { prepareModel, runtimeOf } from './models/prepare.ts';
import type { Config, EventRule, FollowerMember, Model, Prepared, Progress, Runtime, Source } from './types.ts';
import { rulesOf } from './words/event-rules.ts';

export interface Models {
  readonly catalog: Catalog;
  /** Weights, environment, and what starts its runners. */
  prepare(model: Model, progress: Progress, signal: AbortSignal): Promise<Prepared>;
}

export async function createModels(config: Config): Promise<Models> {
  const catalog = await readCatalog({
    folders: [{ path: config.models_dir, origin: 'user' }, { path: join(packageRoot, 'models'), origin: 'built-in' }],
    project: config.project, data_dir: config.data_dir, offline: config.offline,
  });
  const { data_dir, offline } = config;
  const runtimes = await createFamily<Runtime>('runtimes', { config, data_dir, offline });
  return { catalog, prepare: (model, progress, signal) => prepareModel(model, runtimeOf(model, runtimes), progress, signal) };
}

/** A part of each file in a family's folder, by file name. */
export async function createFamily<Part>(folder: string, context: object): Promise<ReadonlyMap<string, Part>> {
  const members = await loadFamily<Member<object, Part | Promise<Part>>>(new URL(`./${folder}/`, import.meta.url));
  const parts = new Map<string, Part>();
  for (const [name, member] of members) parts.set(name, await member.create(context));
  return parts;
}

/** By type. */
export function loadFollowers(): Promise<ReadonlyMap<string, FollowerMember>> {
  return loadFamily<FollowerMember & Member<never, unknown>>(new URL('./followers/', import.meta.url));
}

interface SourceMember extends Member<object, Source> {
  readonly schemes: readonly string[];
  /** What else `allow_schemes` may name for this source. */
  readonly also?: readonly string[];
}

/** By URL scheme. `rules`: of events, as they are now. Throws `config_invalid` when allow_schemes names what no source opens. */
export async function createSources(config: Config, log: Log, rules = (): readonly EventRule[] => rulesOf(config.events)): Promise<ReadonlyMap<string, Source>> {
  const members = await loadFamily<SourceMember>(new URL('./sources/', import.meta.url));
  const sources = new Map<string, Source>();
  for (const [name, member] of members) {
    const source = member.create({ config, log: log.part('capture'), rules });
    for (const scheme of member.schemes) {
      if (sources.has(scheme)) throw new LookoutError('internal', `the source ${name} is for URLs of the scheme ${scheme}, and so is another`);
      sources.set(scheme, source);
    }
  }
  const known = [...sources.keys(), ...[...members.values()].flatMap(({ also = [] }) => also)];
  const unknown = config.allow_schemes.filter((scheme) => !known.includes(scheme));
  if (unknown.length > 0) throw new LookoutError('config_invalid', `allow_schemes: ${unknown.join(', ')} cannot be opened; it may name ${known.sort().join(', ')}`);
  return sources;
}
