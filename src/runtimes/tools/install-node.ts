/** Installs a model's npm packages, without their scripts, into a folder of their own. */
import { copyFile, cp, mkdir, readFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import type { Built } from '../../models/environments.ts';
import { localDependencies } from '../../models/requirement-files.ts';
import type { Model, Progress } from '../../types.ts';
import { ask, run } from './run.ts';
import { CLEAN } from './start.ts';

const FLAGS = ['--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev', '--no-update-notifier', '--loglevel=http'];

export async function installNode(folder: string, model: Model, offline: boolean, progress: Progress, signal: AbortSignal): Promise<Built> {
  // npm must run on the Node that will load what it installs.
  const env = { ...CLEAN, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}` };
  const npm = await ask({ file: 'npm', args: ['--version'], cwd: folder, env }, signal);

  await copyInto(folder, model);
  const locked = model.requirements.some((file) => basename(file) === 'package-lock.json');
  progress(`installing package.json with npm ${npm}`);
  const args = [locked ? 'ci' : 'install', ...FLAGS, ...(offline ? ['--offline'] : []), '--prefix', folder];
  await run({ file: 'npm', args, cwd: folder, env }, (line) => { progress(inWords(line)); }, signal);
  // npm makes none when there is nothing to install.
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  if (model.probe !== null) {
    progress(`probing: ${model.probe}`);
    await run({ file: process.execPath, args: ['--input-type=module', '--eval', model.probe], cwd: folder, env }, progress, signal);
  }
  return { tools: { node: process.versions.node, npm }, packages: await packagesIn(folder) };
}

/** What npm says of each package that has come, in words; everything else as it is. */
export function inWords(line: string): string {
  const [, file] = /^npm http fetch GET 200 \S+\/([^/\s]+)\.tgz /.exec(line) ?? [];
  return file === undefined ? line : `fetched ${file}`;
}

/** The model's package files, and its local packages at the same place beside them, where `file:` finds them. */
async function copyInto(folder: string, model: Model): Promise<void> {
  for (const file of model.requirements) await copyFile(file, join(folder, basename(file)));
  for (const path of localDependencies(await readFile(join(folder, 'package.json'), 'utf8'))) {
    if (relative(model.folder, join(model.folder, path)).startsWith('..')) throw new Error(`the local package ${path} must lie in the model folder ${model.folder}`);
    await cp(join(model.folder, path), join(folder, path), { recursive: true, filter: (source) => basename(source) !== 'node_modules' });
  }
}

async function packagesIn(folder: string): Promise<readonly string[]> {
  const lock = await readFile(join(folder, 'node_modules', '.package-lock.json'), 'utf8').catch(() => '{}');
  const { packages = {} } = JSON.parse(lock) as { packages?: Readonly<Record<string, { version?: string }>> };
  return Object.entries(packages).flatMap(([path, { version }]) => (version === undefined ? [] : [`${path.split('node_modules/').at(-1) ?? path}==${version}`])).sort();
}
