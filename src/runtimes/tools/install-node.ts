/** Installs a model's npm packages, without their scripts, into a folder of their own. */
import { constants, copyFile, cp, readFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import { forInstallers } from '../../lib/environment.ts';
import { makeFolder } from '../../lib/files.ts';
import type { BuildWords, Built } from '../../models/environments.ts';
import { localDependencies } from '../../models/requirement-files.ts';
import type { Model } from '../../types.ts';
import { createNpmWords } from './installer-words.ts';
import { probe } from './probe.ts';
import { ask, run } from './run.ts';

/** The second line: what a .npmrc of the host may say otherwise, and would send packages elsewhere or leave them out. */
const FLAGS = [
  '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev', '--no-update-notifier', '--loglevel=http', '--no-color',
  '--no-global', '--location=project', '--no-dry-run', '--package-lock', '--no-package-lock-only', '--no-workspaces', '--install-strategy=hoisted', '--include=optional',
];

export async function installNode(folder: string, model: Model, offline: boolean, { step, output }: BuildWords, signal: AbortSignal): Promise<Built> {
  // npm must run on the Node that will load what it installs.
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const env = { ...forInstallers(), PATH };
  const npm = await ask({ file: 'npm', args: ['--version'], cwd: folder, env }, signal);

  await copyInto(folder, model);
  const locked = model.requirements.some((file) => basename(file) === 'package-lock.json');
  step(`installing package.json with npm ${npm}`);
  const args = [locked ? 'ci' : 'install', ...FLAGS, ...(offline ? ['--offline'] : []), '--prefix', folder];
  const tell = createNpmWords(step);
  await run({ file: 'npm', args, cwd: folder, env }, (line) => {
    output(line);
    tell(line);
  }, signal);
  // npm makes none when there is nothing to install.
  await makeFolder(join(folder, 'node_modules'));
  const missing = await missingIn(folder);
  if (missing.length > 0) throw new Error(`npm says that all went well, but ${missing.join('; ')}; look for settings of npm that send packages elsewhere`);
  await probe(model, { file: process.execPath, args: ['--input-type=module', '--eval'], cwd: folder, env: { PATH } }, { step, output }, signal);
  return { tools: { node: process.versions.node, npm }, packages: await packagesIn(folder) };
}

/** The model's package files, and its local packages at the same place beside them, where `file:` finds them. */
async function copyInto(folder: string, model: Model): Promise<void> {
  for (const file of model.requirements) await copyFile(file, join(folder, basename(file)), constants.COPYFILE_EXCL);
  for (const path of localDependencies(await readFile(join(folder, 'package.json'), 'utf8'))) {
    if (relative(model.folder, join(model.folder, path)).startsWith('..')) throw new Error(`the local package ${path} must lie in the model folder ${model.folder}`);
    await cp(join(model.folder, path), join(folder, path), { recursive: true, filter: (source) => basename(source) !== 'node_modules' });
  }
}

interface Locked {
  readonly version?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
}

/** Packages of the lock that are not where Node would look for them, in words. Optional ones may be for other machines. */
async function missingIn(folder: string): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [path, { version, link, dev, optional, devOptional, peer }] of Object.entries(await lockedIn(join(folder, 'package-lock.json')))) {
    if (!path.startsWith('node_modules/') || link || dev || optional || devOptional || peer) continue;
    const found = await readFile(join(folder, path, 'package.json'), 'utf8').then((text) => (JSON.parse(text) as Locked).version ?? null, () => null);
    const name = path.split('node_modules/').at(-1) ?? path;
    if (found === null) problems.push(`${name} is not there`);
    else if (version !== undefined && found !== version) problems.push(`${name} ${version} was asked for, and ${found} is there`);
  }
  return problems;
}

async function lockedIn(file: string): Promise<Readonly<Record<string, Locked>>> {
  const lock = await readFile(file, 'utf8').catch(() => '{}');
  return (JSON.parse(lock) as { packages?: Readonly<Record<string, Locked>> }).packages ?? {};
}

async function packagesIn(folder: string): Promise<readonly string[]> {
  const packages = await lockedIn(join(folder, 'node_modules', '.package-lock.json'));
  return Object.entries(packages).flatMap(([path, { version }]) => (version === undefined ? [] : [`${path.split('node_modules/').at(-1) ?? path}==${version}`])).sort();
}
