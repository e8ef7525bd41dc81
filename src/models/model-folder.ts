/** Turns one model folder into a Model: by its manifest, or by the Flask orchestrator's layout. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageRoot } from '../lib/package.ts';
import type { Model, Weights } from '../types.ts';
import { manifestPaths, readManifest, type Manifest } from './manifest.ts';
import { existing } from './paths.ts';
import { followRequirements, PYPROJECT } from './requirement-files.ts';

/** A folder that bears a model's name. */
export interface ModelPlace {
  readonly folder: string;
  readonly origin: Model['origin'];
}

export interface Surroundings {
  readonly data_dir: string;
  /** Folder of the Flask orchestrator; null: none. */
  readonly project: string | null;
  /** Weights are not fetched. */
  readonly offline: boolean;
}

/**
 * The model of this folder; null when nothing in it (or beside it) can be run, or when the script there refuses the name
 * and this place is not the last. Throws when its manifest is wrong.
 */
export async function readModelFolder(name: string, place: ModelPlace, around: Surroundings, isLast: boolean): Promise<Model | null> {
  const [manifest, ...others] = await existing(manifestPaths(place.folder));
  if (manifest !== undefined) {
    const notice = others.length === 0 ? null : `${manifest} is used, ${others.join(' and ')} is not`;
    return { ...(await fromManifest(name, place, await readManifest(manifest, name), around)), notice };
  }
  const [script] = await existing(scriptPaths(place.folder));
  if (script === undefined || (!isLast && (await refuses(script, name)))) return null;
  return fromFlaskLayout(name, place, script, around);
}

/** Where the Flask orchestrator's script may stand: in the model's folder or beside the models folder. */
export function scriptPaths(folder: string): readonly string[] {
  return [folder, join(folder, '..', '..')].map((at) => join(at, 'run_inference.py'));
}

/** Programs that come with Lookout: a copy of a folder that names one works wherever it lies. */
const PROGRAMS: ReadonlyMap<string, string> = new Map([['lookout:yolo.py', join(packageRoot, 'runners/python/yolo.py')]]);

/** Frames of one call, unless the manifest says otherwise. */
const MAX_BATCH = 8;

async function fromManifest(name: string, place: ModelPlace, manifest: Manifest, around: Surroundings): Promise<Model> {
  const { folder, origin } = place;
  const own = PROGRAMS.get(manifest.entry) ?? join(folder, manifest.entry);
  const protocol = manifest.protocol ?? (manifest.runtime === 'command' ? 'oneshot' : 'lines');
  return {
    name,
    folder,
    origin,
    version: manifest.version ?? 'unversioned',
    runtime: manifest.runtime,
    protocol,
    // What is not in the folder is left as it is written: a command may stand on the PATH.
    entry: (await existing([own])).length > 0 ? own : manifest.entry,
    args: manifest.args ?? [],
    requirements: manifest.requirements?.map((file) => join(folder, file)) ?? (await usualRequirements(name, folder, manifest.runtime)),
    section: manifest.section ?? null,
    classes: manifest.classes ?? null,
    class_map: manifest.class_map ?? {},
    confidence: manifest.confidence ?? null,
    deadline_seconds: manifest.deadline_seconds ?? null,
    setup_deadline_seconds: manifest.setup_deadline_seconds ?? null,
    state: manifest.state ?? 'none',
    // A program that is started for every call is started once for a batch.
    look: manifest.look ?? (protocol === 'oneshot' ? 'batch' : 'frame'),
    max_batch: manifest.max_batch ?? MAX_BATCH,
    mix: manifest.mix ?? null,
    instances: manifest.instances ?? 1,
    probe: manifest.probe ?? null,
    weights: (manifest.weights ?? []).map(({ file, url, sha256, required }): Weights => ({
      file,
      url: around.offline ? null : (url ?? null),
      sha256: sha256?.toLowerCase() ?? null,
      required: required ?? true,
    })),
    weights_folders: [folder, join(around.data_dir, 'weights', name)],
    options: manifest.options ?? {},
    env: manifest.env ?? {},
    memory_mb: manifest.memory_mb ?? null,
    cpus: manifest.cpus ?? null,
    adopted_venv: null,
    notice: null,
  };
}

/** Sections of the models that the Flask orchestrator knew. */
export const FLASK_SECTIONS: ReadonlyMap<string, string> = new Map([['animals', 'stray_animal'], ['potholes', 'pothole'], ['garbage', 'garbage']]);

/**
 * The Flask orchestrator's own scripts run the models that they name in quotes, and say of any other that it is not
 * supported. Scripts of users that run whatever they are asked for name none.
 */
async function refuses(script: string, name: string): Promise<boolean> {
  // One that cannot be read says so when it is run.
  const text = await readFile(script, 'utf8').catch(() => '');
  const names = (model: string): boolean => text.includes(`'${model}'`) || text.includes(`"${model}"`);
  return /\bsupported\b/i.test(text) && [...FLASK_SECTIONS.keys()].some(names) && !names(name);
}

async function fromFlaskLayout(name: string, place: ModelPlace, script: string, around: Surroundings): Promise<Model> {
  const manifest: Manifest = { runtime: 'python', entry: script, protocol: 'oneshot', section: FLASK_SECTIONS.get(name) ?? null };
  // It may stand beside the models' folder, where no manifest could name it.
  const model = { ...(await fromManifest(name, place, manifest, around)), entry: script };
  const notice = `no manifest: ${dirname(script)}/run_inference.py is run for each batch`;
  const venv = around.project === null ? null : join(around.project, 'venvs', name);
  // Of one that is closed to Lookout nothing can be used either.
  if (venv === null || (await existing([join(venv, 'bin', 'python')]).catch(() => [])).length === 0) return { ...model, notice };
  const flaw = await flawOf(venv, await followRequirements(model.requirements, model.folder));
  if (flaw === null) return { ...model, adopted_venv: venv, notice };
  return { ...model, notice: `${notice}; ${flaw}, so an environment of its own is built instead` };
}

/** Why an environment of the Flask orchestrator is not what the requirements ask for. Where there are none it was made by hand, without a marker. */
async function flawOf(venv: string, requirements: readonly string[]): Promise<string | null> {
  if (requirements.length === 0) return null;
  const [marker] = await existing([join(venv, '.deps_installed')]);
  if (marker === undefined) return `${venv} has no .deps_installed, as if its installation was cut short`;
  const [changed] = await newerThan(marker, requirements);
  return changed === undefined ? null : `${changed} changed after ${venv} was made`;
}

/** Those of the files that changed after `marker` did. */
async function newerThan(marker: string, files: readonly string[]): Promise<readonly string[]> {
  const { mtimeMs: made } = await stat(marker);
  const changed = await Promise.all(files.map((file) => stat(file).then(({ mtimeMs }) => mtimeMs > made, () => false)));
  return files.filter((_, i) => changed[i]);
}

/** What each runtime calls the files that say what to install, when the manifest names none. */
async function usualRequirements(name: string, folder: string, runtime: string): Promise<readonly string[]> {
  const at = (files: readonly string[]): Promise<readonly string[]> => existing(files.map((file) => join(folder, file)));
  if (runtime === 'python') return (await at([`requirements_${name}.txt`, 'requirements.txt', PYPROJECT])).slice(0, 1);
  if (runtime === 'node') return at(['package.json', 'package-lock.json']);
  return [];
}
