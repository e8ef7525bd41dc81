/** The life of an environment: found, or built in place under a lock, sealed by its environment.json, collected when old. */
import { lstat, lutimes, open, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LookoutError } from '../errors.ts';
import { untilAborted } from '../lib/abort.ts';
import { giveToModels, makeReadable, readOfModels, removeOfModels, Unfit } from '../lib/account.ts';
import { hasCode, makeFolder, namesIn } from '../lib/files.ts';
import { lockFolderOrFile } from '../lib/lock.ts';
import { isObject } from '../lib/objects.ts';
import { run } from '../lib/program.ts';
import type { Progress } from '../types.ts';

/** What a runtime knows about an environment that it can build. */
export interface Recipe {
  readonly model: string;
  readonly fingerprint: string;
  /** Builds and verifies it in an empty folder. Throws with the installer's last lines. */
  build(folder: string, words: BuildWords, signal: AbortSignal): Promise<Built>;
  /** Whether the user that models run as can use what was built: an interpreter may have been removed since, or it may be another user than then. Throws when that cannot be told; what was built is kept then. */
  works(folder: string, signal: AbortSignal): Promise<boolean>;
}

export interface BuildWords {
  /** What is being done, for whoever waits; in build.log too. */
  readonly step: Progress;
  /** What the installers say, for build.log alone. */
  readonly output: Progress;
}

export interface Built {
  /** Tools and their versions. */
  readonly tools: Readonly<Record<string, string>>;
  /** Every package that is in it, `name==version`. */
  readonly packages: readonly string[];
}

/** `environment.json`: written last, so that an environment without it is not whole. */
export interface EnvironmentFacts extends Built {
  readonly fingerprint: string;
  readonly model: string;
  readonly built_at: string;
  readonly build_seconds: number;
  /** File with everything that the installers said. */
  readonly log: string;
}

const SEAL = 'environment.json';
const SEAL_AT_MOST = 4 * 1024 * 1024;
const LOG = 'build.log';
const LOCK_WAIT_MS = 6 * 3_600_000;
const KEEP_UNUSED_MS = 7 * 24 * 3_600_000;
const KEEP_LAST = 2;

/** The folder of the environment, ready to be used. Callers at the same time, also in other processes, build it once. */
export async function provideEnvironment(data_dir: string, recipe: Recipe, progress: Progress, signal: AbortSignal): Promise<string> {
  const ofModel = join(data_dir, 'runtimes', recipe.model);
  const folder = join(ofModel, recipe.fingerprint);
  await makeReadable(ofModel);
  if (await isReady(folder, recipe, signal)) return folder;

  const lock = await lockFolderOrFile(ofModel, { waitMs: LOCK_WAIT_MS }, signal);
  try {
    // Somebody else may have built it while this one waited.
    if (await isReady(folder, recipe, signal)) return folder;
    const { build_seconds, packages } = await build(folder, recipe, progress, signal);
    // What a tool removes meanwhile, or is closed to Lookout, keeps nobody from working in it.
    const size = await bytesIn(folder).then((bytes) => `, ${megabytes(bytes)} MB`, () => '');
    progress(`the environment is ready after ${build_seconds} s: ${count(packages.length)}${size}`);
    await collect(ofModel, recipe.fingerprint, progress);
    return folder;
  } finally {
    await lock.release();
  }
}

/** Somebody works in it, perhaps for weeks. */
export async function markUsed(data_dir: string, model: string, fingerprint: string): Promise<void> {
  await touch(join(data_dir, 'runtimes', model, fingerprint, SEAL)).catch(() => {
    // Somebody removed it; whoever starts there next builds it again.
  });
}

async function isReady(folder: string, recipe: Recipe, signal: AbortSignal): Promise<boolean> {
  const seal = join(folder, SEAL);
  if (!(await readSeal(seal)) || !(await recipe.works(folder, signal))) return false;
  await touch(seal);
  return true;
}

/** The seal's time of change says when the environment was last used. */
async function touch(seal: string): Promise<void> {
  const now = new Date();
  await lutimes(seal, now, now);
}

async function build(folder: string, recipe: Recipe, progress: Progress, signal: AbortSignal): Promise<EnvironmentFacts> {
  const log = join(folder, LOG);
  const began = Date.now();
  await sweep(folder);
  await makeFolder(folder);
  const logged = await open(log, 'wx');
  let written: Promise<void> = Promise.resolve();
  // The log is a help, not a promise: a full disk has its say in the error below.
  const output: Progress = (line) => { written = written.then(() => logged.appendFile(`${line}\n`)).catch(() => undefined); };
  const step: Progress = (line) => {
    output(line);
    progress(line);
  };
  try {
    await giveToModels(folder);
    const built = await recipe.build(folder, { step, output }, signal);
    const facts: EnvironmentFacts = {
      fingerprint: recipe.fingerprint,
      model: recipe.model,
      ...built,
      built_at: new Date(began).toISOString(),
      build_seconds: Math.round((Date.now() - began) / 100) / 10,
      log: LOG,
    };
    await untilAborted(putOnDisk(folder), signal);
    await writeFile(join(folder, `${SEAL}.new`), `${JSON.stringify(facts, null, 2)}\n`, { flush: true, flag: 'wx' });
    await rename(join(folder, `${SEAL}.new`), join(folder, SEAL));
    return facts;
  } catch (error) {
    signal.throwIfAborted();
    await keepLogAlone(folder);
    const reason = error instanceof Error ? error.message : String(error);
    throw new LookoutError('model_unavailable', `model ${recipe.model}: its environment could not be built: ${reason}\nEverything that was said: ${log}`, { cause: error });
  } finally {
    await written;
    await logged.close();
  }
}

/** A power cut must leave no seal on what was in memory alone. Installers flush nothing, and file by file it would take minutes. */
async function putOnDisk(folder: string): Promise<void> {
  // Some know no -f. Where there is none at all, the disk has to be trusted.
  await run('sync', ['-f', folder]).catch(() => run('sync', [])).catch(() => undefined);
}

const count = (packages: number): string => (packages === 1 ? '1 package' : `${packages} packages`);

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

/** A build that failed may have fetched gigabytes, and may have failed because the disk is full. */
async function keepLogAlone(folder: string): Promise<void> {
  for (const name of (await namesIn(folder)).filter((name) => name !== LOG)) {
    // What cannot be removed is swept by the next build, and the news is why this one failed.
    await removeOfModels(join(folder, name)).catch(() => undefined);
  }
}

/** Removes what other fingerprints left: what is not whole, and what is neither among the last nor was used lately. */
async function collect(ofModel: string, current: string, progress: Progress): Promise<void> {
  const others = (await readdir(ofModel)).filter((name) => name !== current);
  const aged = await Promise.all(others.map(async (name) => {
    const folder = join(ofModel, name);
    return { folder, used: await lstat(join(folder, SEAL)).then(({ mtimeMs }) => mtimeMs, () => -Infinity) };
  }));
  const old = aged.sort((a, b) => b.used - a.used).filter(({ used }, rank) => used === -Infinity || (rank >= KEEP_LAST - 1 && Date.now() - used > KEEP_UNUSED_MS));
  for (const { folder } of old) {
    await sweep(folder).catch((error: unknown) => { progress(`${folder} cannot be removed: ${String(error)}`); });
  }
}

/** The seal goes first: a removal cut short must not leave half an environment that looks whole. */
async function sweep(folder: string): Promise<void> {
  await removeOfModels(join(folder, SEAL));
  await removeOfModels(folder);
}

async function readSeal(file: string): Promise<boolean> {
  try {
    const facts: unknown = JSON.parse(await readOfModels(file, SEAL_AT_MOST));
    return isObject(facts) && typeof facts['fingerprint'] === 'string';
  } catch (error) {
    // Missing, torn or something else: the environment is not whole. Any other failure says nothing of it.
    if (error instanceof SyntaxError || error instanceof Unfit || hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
