/** Installs a model's npm packages, without their scripts, into a folder of their own. */
import { readFile, realpath } from 'node:fs/promises';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import { readOfModels } from '../../lib/account.ts';
import { forInstallers, forModels } from '../../lib/environment.ts';
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

const PACKAGE_JSON = 'package.json';

/** Run as the user that models run as: what else runs as that user may have put a link in the way. */
const COPY = `
const { constants, copyFileSync, cpSync } = require('node:fs');
const { basename } = require('node:path');
const { files, packages } = JSON.parse(process.argv[1]);
for (const [from, to] of files) copyFileSync(from, to, constants.COPYFILE_EXCL);
for (const [from, to] of packages) cpSync(from, to, { recursive: true, filter: (source) => basename(source) !== 'node_modules' });
`;

/** No lock file is larger. */
const READ_AT_MOST = 64 * 1024 * 1024;

export async function installNode(folder: string, model: Model, offline: boolean, { step, output }: BuildWords, signal: AbortSignal): Promise<Built> {
  // npm must run on the Node that will load what it installs.
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const env = { ...forInstallers(), PATH };
  const npm = await ask({ file: 'npm', args: ['--version'], cwd: folder, env }, signal);

  await copyInto(folder, model, signal);
  const locked = model.requirements.some((file) => basename(file) === 'package-lock.json');
  step(`installing package.json with npm ${npm}`);
  // npm ci takes a prefix that leads over a link for another project than the one where it is.
  const args = [locked ? 'ci' : 'install', ...FLAGS, ...(offline ? ['--offline'] : []), '--prefix', await realpath(folder)];
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
async function copyInto(folder: string, model: Model, signal: AbortSignal): Promise<void> {
  const packageJson = model.requirements.find((file) => basename(file) === PACKAGE_JSON);
  const packages = packageJson === undefined ? [] : localDependencies(await readFile(packageJson, 'utf8'));
  for (const path of packages) {
    if (relative(model.folder, join(model.folder, path)).startsWith('..')) throw new Error(`the local package ${path} must lie in the model folder ${model.folder}`);
  }
  const wanted = {
    files: model.requirements.map((file) => [file, join(folder, basename(file))]),
    packages: packages.map((path) => [join(model.folder, path), join(folder, path)]),
  };
  await ask({ file: process.execPath, args: ['-e', COPY, JSON.stringify(wanted)], cwd: folder, env: forModels() }, signal);
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
    const found = await readOfModels(join(folder, path, PACKAGE_JSON), READ_AT_MOST).then((text) => (JSON.parse(text) as Locked).version ?? null, () => null);
    const name = path.split('node_modules/').at(-1) ?? path;
    if (found === null) problems.push(`${name} is not there`);
    else if (version !== undefined && found !== version) problems.push(`${name} ${version} was asked for, and ${found} is there`);
  }
  return problems;
}

async function lockedIn(file: string): Promise<Readonly<Record<string, Locked>>> {
  const lock = await readOfModels(file, READ_AT_MOST).catch(() => '{}');
  return (JSON.parse(lock) as { packages?: Readonly<Record<string, Locked>> }).packages ?? {};
}

async function packagesIn(folder: string): Promise<readonly string[]> {
  const packages = await lockedIn(join(folder, 'node_modules', '.package-lock.json'));
  return Object.entries(packages).flatMap(([path, { version }]) => (version === undefined ? [] : [`${path.split('node_modules/').at(-1) ?? path}==${version}`])).sort();
}
