/** Sees to it that a model's weights are there: looks for them, fetches what is missing and can be fetched. */
import { basename, dirname, join } from 'node:path';
import { errorInfo, LookoutError } from '../errors.ts';
import { letModelsRead } from '../lib/account.ts';
import { makeFolder, namesIn } from '../lib/files.ts';
import { linked } from '../lib/linked.ts';
import { lockFolderOrFile } from '../lib/lock.ts';
import type { Model, Progress, Weights } from '../types.ts';
import { noWeightsIn, type NoWeights } from './beginning.ts';
import { download } from './download.ts';
import { sha256 as hashOf } from './hashing.ts';
import { isFile } from './paths.ts';

/** What is not required may not delay a start for longer; what has come by then is kept for the next one. */
const OPTIONAL_MS = 60_000;
const CONNECT_MS = 30_000;
const OPTIONAL_CONNECT_MS = 5_000;
const LOCK_WAIT_MS = 3_600_000;
const WEIGHTS = /\.(onnx|pt|pth)$/i;

/** Every file of weights that is there, in the order of the manifest and then of the folders. */
export async function findWeights(model: Model): Promise<readonly string[]> {
  return (await Promise.all(model.weights.map((weights) => matches(model, weights)))).flat();
}

/** What is called like weights in these folders of the model's, and is none that it looks for. */
export async function otherWeights(model: Model, folders: readonly string[]): Promise<readonly string[]> {
  const used = new Set(await findWeights(model));
  const files = await Promise.all(folders.map(async (folder) => (await namesIn(folder)).map((name) => join(folder, name))));
  return files.flat().filter((file) => WEIGHTS.test(file) && !used.has(file)).sort();
}

/** What a user must do before the model can run: which file is missing, and where it goes. null: nothing. */
export async function missingWeights(model: Model): Promise<string | null> {
  try {
    for (const weights of model.weights) {
      if (weights.required && weights.url === null && (await matches(model, weights)).length === 0) return missing(model, weights, null);
    }
    await refuseOthers(model);
    return null;
  } catch (error) {
    if (error instanceof Unusable) return error.message;
    throw error;
  }
}

/** Throws `model_unavailable` when required weights are missing and cannot be had, and when there are some that cannot be used. */
export async function provideWeights(model: Model, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    await provide(model, progress, signal);
  } catch (error) {
    if (error instanceof Unusable) throw new LookoutError('model_unavailable', `model ${model.name}: ${error.message}`, { cause: error.cause });
    throw error;
  }
}

/** Says what is wrong with a model's weights, and what to do about it; its cause is what the system said. */
class Unusable extends Error {}

async function provide(model: Model, progress: Progress, signal: AbortSignal): Promise<void> {
  for (const weights of model.weights) {
    signal.throwIfAborted();
    const stale = (await isOther(model, weights, signal)) ? targetOf(model, weights) : null;
    const isThere = (files: readonly string[]): boolean => files.some((file) => file !== stale);
    if (isThere(await matches(model, weights))) continue;
    // What the model can do without is not waited for when it has others.
    if (!weights.required && isThere(await findWeights(model))) continue;
    const reason = weights.url === null ? null : await fetchWeights(model, weights, weights.url, progress, signal);
    if (stale !== null && reason !== null) progress(`${stale} is not the file with the sha256 that the manifest names, which cannot be had (${reason}); it is used as it is`);
    if ((await matches(model, weights)).length > 0) continue;
    if (weights.required) throw new Unusable(missing(model, weights, reason));
    progress(`the weights ${weights.file} are not there${reason === null ? '' : ` (${reason})`}; going on without them`);
  }
  await refuseOthers(model);
  await letRead(model);
}

/** What lies in Lookout's own folder may be from before models ran as another user. */
async function letRead(model: Model): Promise<void> {
  const folder = fetchedFolder(model);
  for (const file of (await findWeights(model)).filter((one) => one.startsWith(`${folder}/`))) {
    for (let path = file; path !== dirname(folder); path = dirname(path)) {
      // A model that cannot do without what it cannot read says so itself.
      await letModelsRead(path).catch(() => undefined);
    }
  }
}

/** Whether what was fetched is another version than the manifest names: it would stay for ever. */
async function isOther(model: Model, weights: Weights, signal: AbortSignal): Promise<boolean> {
  const { url, sha256 } = weights;
  const fetched = targetOf(model, weights);
  if (url === null || sha256 === null || !(await isFile(fetched))) return false;
  const hash = await hashOf(fetched, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    return unreadable(fetched)(error);
  });
  return hash !== sha256;
}

/** How what is said of them goes on. */
const REMEDIES: Readonly<Record<NoWeights, string>> = {
  'an empty file': '; put the real one there',
  'a Git LFS pointer': ', not the weights; fetch them with `git lfs pull`, or put the real file there',
  'a web page': ', not the weights; download the file itself',
};

/** Throws Unusable for a file that bears the name of weights and holds none. */
async function refuseOthers(model: Model): Promise<void> {
  for (const file of await findWeights(model)) {
    const what = await noWeightsIn(file).catch(unreadable(file));
    if (what !== null) throw new Unusable(`the weights ${file} are ${what}${REMEDIES[what]}`);
  }
}

function unreadable(where: string): (error: unknown) => never {
  return (error) => { throw new Unusable(`the weights ${where} cannot be read: ${errorInfo(error).message}; let Lookout's user read them`, { cause: error }); };
}

function missing(model: Model, { file }: Weights, reason: string | null): string {
  return `the weights ${file} are missing${reason === null ? '' : ` (${reason})`}; put the file into ${placeFor(model)}`;
}

/** Why it could not be fetched; null when it is there. Throws only when aborted. */
async function fetchWeights(model: Model, weights: Weights, url: string, progress: Progress, signal: AbortSignal): Promise<string | null> {
  const { sha256, required } = weights;
  const folder = fetchedFolder(model);
  const target = targetOf(model, weights);
  const limit = linked(signal, ...(required ? [] : [AbortSignal.timeout(OPTIONAL_MS)]));
  try {
    await makeFolder(folder);
    const lock = await lockFolderOrFile(folder, { waitMs: LOCK_WAIT_MS }, limit.signal);
    try {
      // Somebody else may have fetched it while this one waited.
      if (!(await isFile(target)) || (await isOther(model, weights, limit.signal))) await download({ url, sha256, target, connect_ms: required ? CONNECT_MS : OPTIONAL_CONNECT_MS, tries: required ? 5 : 1 }, progress, limit.signal);
      return null;
    } finally {
      await lock.release();
    }
  } catch (error) {
    signal.throwIfAborted();
    return limit.signal.aborted ? `fetching it took longer than ${OPTIONAL_MS / 1000} s` : (error as Error).message;
  } finally {
    limit.release();
  }
}

function targetOf(model: Model, { file }: Weights): string {
  return join(fetchedFolder(model), file);
}

function fetchedFolder({ weights_folders, folder }: Model): string {
  return weights_folders.at(-1) ?? folder;
}

/** The user's folder: the first that is not the built-in one, which an update would replace. */
function placeFor(model: Model): string {
  return model.weights_folders.find((folder) => folder !== model.folder || model.origin === 'user') ?? model.folder;
}

/** Files that an entry of the manifest means. Throws Unusable where the folders do not tell. */
async function matches({ weights_folders }: Model, { file }: Weights): Promise<readonly string[]> {
  const pattern = new RegExp(`^${basename(file).split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
  const found = await Promise.all(weights_folders.map(async (folder) => {
    const within = join(folder, dirname(file));
    const names = await namesIn(within).catch(unreadable(`in ${within}`));
    const paths = names.filter((name) => pattern.test(name) && !/\.(part|old\d*)$/.test(name)).sort().map((name) => join(within, name));
    return Promise.all(paths.map(async (path) => ((await isFile(path)) ? [path] : [])));
  }));
  return found.flat(2);
}
