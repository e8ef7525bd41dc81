/** Makes a virtual environment and installs requirements into it, with uv or with venv and pip. */
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { removeOfModels } from '../../lib/account.ts';
import { forInstallers, forModels } from '../../lib/environment.ts';
import { packageRoot } from '../../lib/package.ts';
import { isFolder } from '../../models/paths.ts';
import { PYPROJECT } from '../../models/requirement-files.ts';
import type { BuildWords, Built } from '../../models/environments.ts';
import type { Model } from '../../types.ts';
import { createPipWords } from './installer-words.ts';
import type { Interpreter } from './interpreter.ts';
import { installerEnvironment } from './installer-settings.ts';
import { probe } from './probe.ts';
import { ask, run } from './run.ts';

interface Installer {
  /** Name and version. */
  readonly tool: readonly ['pip' | 'uv', string];
  readonly create: readonly string[];
  readonly install: readonly string[];
}

/** Settings of the environment that say where packages come from. */
const WHERE_FROM = /_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CONSTRAINT|CONFIG_FILE)$/;
/** Importing from a wheel compiles every module anew, a second each time. Without its dist-info it does not pass for a package of the environment. */
const UNPACK = 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); z.extractall(sys.argv[2], [n for n in z.namelist() if n.startswith("pip/")])';
const LIST = 'import importlib.metadata as m; print("\\n".join(sorted({d.metadata["Name"] + "==" + d.version for d in m.distributions()})))';

export function venvPython(folder: string): string {
  return join(folder, 'bin', 'python');
}

export async function installPython(folder: string, model: Model, interpreter: Interpreter, offline: boolean, { step, output }: BuildWords, signal: AbortSignal): Promise<Built> {
  const python = venvPython(folder);
  const pip = join(folder, 'pip');
  const installs = model.requirements.length > 0;
  if (installs) await ask({ file: interpreter.path, args: ['-I', '-c', UNPACK, interpreter.pip, pip], cwd: '/', env: forModels() }, signal);
  const files = await asRequirements(model, folder, (file) => askAbout({ ask: 'project', pip, files: [file] }, interpreter.path, model.folder, signal));
  const { tool, create, install } = await chooseInstaller(folder, pip, interpreter, signal);
  const env = await installerEnvironment(tool[0], interpreter.path, installs ? pip : null, signal);
  const tell = createPipWords(step);
  // Local packages in a requirements file are relative to the folder that pip runs in.
  const go = ([file = '', ...args]: readonly string[]): Promise<void> => run({ file, args, cwd: model.folder, env }, (line) => {
    output(line);
    tell(line);
  }, signal);
  const asking = (question: object): Promise<readonly string[]> => askAbout({ ...question, pip, files }, python, model.folder, signal);

  step(`creating the virtual environment with Python ${interpreter.version}`);
  await go(create);
  if (installs) {
    step(`installing ${model.requirements.map((file) => basename(file)).join(', ')} with ${tool.join(' ')}`);
    const pinned: string[] = [];
    for (const wheels of await wheelsOf(model)) pinned.push(...(await asking({ ask: 'pins', wheels })));
    const constraints = join(folder, 'wheels.txt');
    if (pinned.length > 0) await writeFile(constraints, `${pinned.join('\n')}\n`, { flag: 'wx' });
    await go([
      ...install, ...(await fromWhere(model, offline)), ...(pinned.length > 0 ? ['-c', constraints] : []),
      ...files.flatMap((file) => ['-r', file]),
    ]);
    const missing = await asking({ ask: 'missing' });
    if (missing.length > 0) throw new Error(`the installer says that all went well, but ${missing.join('; ')}; look for settings of ${tool[0]} that send packages elsewhere`);
  }
  await removeOfModels(pip);
  await probe(model, { file: python, args: ['-c'], cwd: model.folder, env: {} }, { step, output }, signal);
  const packages = await ask({ file: python, args: ['-I', '-c', LIST], cwd: dirname(folder), env: forModels() }, signal);
  return { tools: { python: interpreter.version, [tool[0]]: tool[1] }, packages: packages.split('\n').filter((line) => line !== '') };
}

async function chooseInstaller(folder: string, pip: string, { path, pip: wheel }: Interpreter, signal: AbortSignal): Promise<Installer> {
  const python = venvPython(folder);
  const uv = await uvVersion(signal);
  if (uv !== null) {
    return { tool: ['uv', uv], create: ['uv', 'venv', '--allow-existing', '--python', path, folder], install: ['uv', 'pip', 'install', '--python', python] };
  }
  // pip runs from outside: an environment is made without it ten times faster, and by one process that the leash ends.
  return {
    tool: ['pip', basename(wheel).split('-')[1] ?? ''],
    create: [path, '-I', '-m', 'venv', '--without-pip', folder],
    install: [python, join(pip, 'pip'), 'install', '--no-input', '--disable-pip-version-check'],
  };
}

/** null: uv is not there, or an index was set for pip alone, which uv would not look at. */
async function uvVersion(signal: AbortSignal): Promise<string | null> {
  const isSet = (tool: string): boolean => Object.entries(process.env).some(([name, value]) => value && name.startsWith(tool) && WHERE_FROM.test(name));
  if (isSet('PIP_') && !isSet('UV_')) return null;
  try {
    return (await ask({ file: 'uv', args: ['--version'], cwd: '/', env: forInstallers() }, signal)).split(' ')[1] ?? '';
  } catch {
    // Not there, or not able to run: pip does the same.
    signal.throwIfAborted();
    return null;
  }
}

/** The files that say what to install, with the dependencies of a pyproject.toml in a file that every installer reads. */
async function asRequirements(model: Model, folder: string, dependenciesOf: (file: string) => Promise<readonly string[]>): Promise<readonly string[]> {
  return Promise.all(model.requirements.map(async (file) => {
    if (basename(file) !== PYPROJECT) return file;
    const listed = join(folder, 'project.txt');
    await writeFile(listed, `${(await dependenciesOf(file)).join('\n')}\n`, { flag: 'wx' });
    return listed;
  }));
}

/** What requirements.py has to say, under this interpreter. */
async function askAbout(question: object, python: string, cwd: string, signal: AbortSignal): Promise<readonly string[]> {
  const script = join(packageRoot, 'runners/python/requirements.py');
  return JSON.parse(await ask({ file: python, args: ['-I', script, JSON.stringify(question)], cwd, env: forModels() }, signal)) as string[];
}

/** A folder `wheels` in the model's folder is looked into; offline nothing else is. */
async function fromWhere(model: Model, offline: boolean): Promise<readonly string[]> {
  return [...(offline ? ['--no-index'] : []), ...(await wheelsOf(model)).flatMap((wheels) => ['--find-links', wheels])];
}

/** The model's own folder of wheels, or none. */
export async function wheelsOf(model: Model): Promise<readonly string[]> {
  const wheels = join(model.folder, 'wheels');
  return (await isFolder(wheels)) ? [wheels] : [];
}
