/** The models that can be named: the folders of the user, of the Flask orchestrator's project and the built-in ones. */
import { realpath, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { errorInfo, LookoutError } from '../errors.ts';
import { hasCode, namesIn } from '../lib/files.ts';
import { CAMERA_MODEL } from '../words/push.ts';
import type { Model } from '../types.ts';
import { MANIFEST_FILES, RESERVED_SECTIONS } from './manifest.ts';
import { readModelFolder, scriptPaths, type ModelPlace, type Surroundings } from './model-folder.ts';
import { otherWeights } from './weights.ts';

export interface CatalogOptions {
  /** Folders of models; those of the user win over the built-in ones by name. */
  readonly folders: readonly { readonly path: string; readonly origin: Model['origin'] }[];
  /** Folder of the Flask orchestrator, used in place; null: none. */
  readonly project: string | null;
  readonly data_dir: string;
  /** Weights are not fetched; default: they are. */
  readonly offline?: boolean;
}

/** A model, or why its folder holds none. */
export type CatalogEntry =
  | { readonly name: string; readonly model: Model }
  | { readonly name: string; readonly error: LookoutError };

export interface Catalog {
  /** What was passed over, in words; as of the last look into the folders. */
  notices(): readonly string[];
  /** Reads the folder anew. Throws `unknown_model` or `model_unavailable`. */
  get(name: string): Promise<Model>;
  /** Those that can be named, whatever their folders hold: reads none of these. */
  names(): Promise<readonly string[]>;
  /** Reads every folder anew; a broken one harms no other. */
  list(): Promise<readonly CatalogEntry[]>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export async function readCatalog(options: CatalogOptions): Promise<Catalog> {
  const around: Surroundings = {
    data_dir: resolve(options.data_dir),
    project: options.project === null ? null : resolve(options.project),
    offline: options.offline ?? false,
  };
  const look = (): Promise<Sight> => lookAround(options, around.project);
  let sight = await look();
  return {
    notices: () => sight.notices,
    async get(name) {
      sight = await look();
      const places = sight.places.get(name);
      if (places !== undefined) return readModel(name, places, around);
      const known = [...sight.places.keys()];
      throw new LookoutError('unknown_model', `there is no model "${name}"; known models: ${known.join(', ') || 'none'}`, { details: { known } });
    },
    async names() {
      sight = await look();
      return [...sight.places.keys()];
    },
    async list() {
      sight = await look();
      return Promise.all([...sight.places].map(async ([name, places]) => {
        try {
          return { name, model: await readModel(name, places, around) };
        } catch (error) {
          return { name, error: error instanceof LookoutError ? error : new LookoutError('model_unavailable', `model ${name}: ${errorInfo(error).message}`, { cause: error }) };
        }
      }));
    },
  };
}

/** What the folders hold: for each name its places, the one that wins first. */
interface Sight {
  readonly places: ReadonlyMap<string, readonly ModelPlace[]>;
  readonly notices: readonly string[];
}

async function lookAround({ folders }: CatalogOptions, project: string | null): Promise<Sight> {
  const users = folders.filter(({ origin }) => origin === 'user');
  const builtIns = folders.filter(({ origin }) => origin === 'built-in');
  const ordered = [...(project === null ? [] : [{ path: join(project, 'models'), origin: 'user' as const }]), ...users, ...builtIns];
  const builtInPaths = await Promise.all(builtIns.map(({ path }) => real(path)));
  const seen = new Set<string>();
  const places = new Map<string, ModelPlace[]>();
  const notices: string[] = [];
  for (const { path, origin } of ordered) {
    const folder = await real(path);
    // One folder named twice counts once, and as built-in when it is.
    if (seen.has(folder) || (origin === 'user' && builtInPaths.includes(folder))) continue;
    seen.add(folder);
    const names = await subfolders(folder).catch((error: unknown) => {
      notices.push(`${folder} is passed over: ${errorInfo(error).message}`);
      return [];
    });
    for (const name of names) {
      if (NAME.test(name)) places.set(name, [...(places.get(name) ?? []), { folder: join(folder, name), origin }]);
      else notices.push(`${join(folder, name)} is passed over: a model's name has 1 to 64 of A-Z a-z 0-9 . _ - and begins with a letter or digit`);
    }
  }
  return { places: new Map([...places].sort(([a], [b]) => (a < b ? -1 : 1))), notices };
}

/** The first place that holds something to run; the folders before it are searched for weights. */
async function readModel(name: string, places: readonly ModelPlace[], around: Surroundings): Promise<Model> {
  if (name === CAMERA_MODEL) throw new LookoutError('model_unavailable', `model ${name}: what cameras say that they have seen is recorded under this name; rename ${places[0]?.folder ?? 'the folder'}`);
  const before: string[] = [];
  for (const place of places) {
    const model = await readModelFolder(name, place, around, place === places.at(-1));
    if (model === null) {
      before.push(place.folder);
      continue;
    }
    if (model.section === null && RESERVED_SECTIONS.some((section) => section === name)) {
      throw new LookoutError('model_unavailable', `model ${name}: the record needs this name for itself; rename the folder or set section in its manifest`);
    }
    if (before.length === 0) return model;
    const found = { ...model, weights_folders: [...before, ...model.weights_folders] };
    const notice = `${before.join(' and ')} has no manifest and no script that runs it, so the ${model.origin} model of ${place.folder} is used${await ofWeights(found, before)}`;
    return { ...found, notice };
  }
  const where = before[0] ?? '';
  throw new LookoutError(
    'model_unavailable',
    `model ${name}: nothing to run in ${where}: write a ${MANIFEST_FILES[0]}, or put the Flask orchestrator's script at ${scriptPaths(where).join(' or ')}`,
  );
}

/** How a notice goes on: what is looked for, and what lies in the folders for nothing. */
async function ofWeights(model: Model, folders: readonly string[]): Promise<string> {
  // Where a folder cannot be read, its preparation says so.
  const others = await otherWeights(model, folders).catch(() => []);
  const wanted = model.weights.map(({ file }) => file).join(', ');
  return [
    ...(wanted === '' ? [] : [`weights are looked for in both: ${wanted}`]),
    ...(others.length === 0 ? [] : [`not used: ${others.map((file) => basename(file)).join(', ')} (Weights in models/README.md tells what can be)`]),
  ].map((part) => `; ${part}`).join('');
}

async function subfolders(folder: string): Promise<readonly string[]> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith('.') && name !== '__pycache__').sort();
  const folders = await Promise.all(names.map(async (name) => ((await bearsModel(join(folder, name))) ? name : null)));
  return folders.filter((name) => name !== null);
}

/** A link to where Lookout may not go bears a model too, whose trouble that is: another of its name must not take its place. */
async function bearsModel(path: string): Promise<boolean> {
  return stat(path).then((facts) => facts.isDirectory(), (error: unknown) => hasCode(error, 'EACCES'));
}

async function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}
