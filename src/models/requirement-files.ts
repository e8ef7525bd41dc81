/** Follows requirement files to every local file that has a say in what gets installed. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorInfo, LookoutError } from '../errors.ts';
import { forInstallers } from '../lib/environment.ts';
import { isObject } from '../lib/objects.ts';
import { isFile } from './paths.ts';

/** Its `[project] dependencies` are requirements. */
export const PYPROJECT = 'pyproject.toml';

/**
 * The files themselves, what they name by `-r` and `-c`, and the local packages in them. pip takes `-r` and `-c` from
 * the file's own folder but local packages from the working folder, which is `base`. Throws `model_unavailable` for a file
 * that cannot be read.
 */
export async function followRequirements(files: readonly string[], base: string): Promise<readonly string[]> {
  const found = new Set<string>();
  const follow = async (file: string): Promise<void> => {
    if (found.has(file)) return;
    found.add(file);
    const text = (await isFile(file)) ? await read(file) : '';
    const { files: further, packages } = basename(file) === 'package.json' ? fromPackageJson(text, dirname(file)) : fromRequirements(text, file, base);
    for (const path of packages) found.add(path);
    for (const path of further) await follow(path);
  };
  for (const file of files) await follow(file);
  return [...found].sort();
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new LookoutError('model_unavailable', `${file} cannot be read: ${errorInfo(error).message}; let Lookout's user read it`, { cause: error });
  }
}

/** `files` are followed in turn, `packages` are archives and folders that are installed. */
interface Named {
  readonly files: readonly string[];
  readonly packages: readonly string[];
}

function fromRequirements(text: string, file: string, base: string): Named {
  const files: string[] = [];
  const packages: string[] = [];
  if (extname(file) === '.json' || basename(file) === PYPROJECT) return { files, packages };
  for (const line of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const said = expand(line.replace(/(^|\s)#.*$/, '').trim());
    const [, further] = /^(?:-r|-c|--requirement|--constraint)(?:\s+|=|(?<=-[rc]))(.+)$/.exec(said) ?? [];
    const [, folder] = /^(?:-e|--editable|-f|--find-links)(?:\s+|=|(?<=-[ef]))(.+)$/.exec(said) ?? [];
    if (further !== undefined) files.push(...localPath(further, dirname(file)));
    else packages.push(...localPath(folder ?? said, base));
  }
  return { files, packages };
}

/** As the installers expand it, from the environment that they are given: what is not set stays as it is written. */
function expand(line: string): string {
  // Few lines have one, and these are read every few seconds.
  const valueOf = (name: string): string | undefined => ({ ...process.env, ...forInstallers() })[name];
  return line.replace(/\$\{([A-Z0-9_]+)\}/g, (written, name: string) => valueOf(name) || written);
}

/** The path in one requirement: `./folder`, `wheels/a.whl`, `name @ file:///…`; none for what comes from an index. */
function localPath(requirement: string, base: string): readonly string[] {
  const [, direct] = /^[\w.-]+(?:\[[^\]]*\])?\s*@\s*(\S+)/.exec(requirement) ?? [];
  const plain = (direct ?? requirement).replace(/\s*;.*$/, '').replace(/\s+--.*$/, '').replace(/^["']|["']$/g, '');
  const path = plain.replace(/\[[^\]]*\]$/, '');
  if (path.startsWith('file://')) return pathOf(path.replace(/#.*$/, ''));
  const local = isAbsolute(path) || /^\.{1,2}(\/|$)/.test(path) || /\.(whl|zip|tar\.gz|txt|in)$/.test(path) || /^[^<>=!~@\s:]+\/[^:]*$/.test(path);
  return local && !/^\w+(\+\w+)?:\/\//.test(path) ? [resolve(base, path)] : [];
}

function pathOf(url: string): readonly string[] {
  try {
    return [fileURLToPath(url)];
  } catch {
    // Of another host, or no path at all: the installer says so.
    return [];
  }
}

/** Local packages of a package.json, by its `file:` dependencies. */
function fromPackageJson(text: string, folder: string): Named {
  return { files: [], packages: localDependencies(text).map((path) => resolve(folder, path)) };
}

/** Paths, as written, of the dependencies that a package.json takes from this machine. */
export function localDependencies(packageJson: string): readonly string[] {
  const manifest = parseObject(packageJson);
  return ['dependencies', 'optionalDependencies'].map((kind) => manifest[kind]).filter(isObject).flatMap(Object.values).flatMap((where: unknown) => {
    const path = typeof where === 'string' ? where.replace(/^(file|link):/, '') : '';
    return path !== where || /^(\.{1,2}\/|\/|~\/)/.test(path) ? [path] : [];
  }).filter((path) => path !== '');
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const said: unknown = JSON.parse(text);
    return isObject(said) ? said : {};
  } catch {
    // npm itself says what is wrong with it, in better words.
    return {};
  }
}
