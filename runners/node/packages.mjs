/**
 * How Node finds the npm packages of a model: they lie in an environment of its own, away from its code.
 *
 * Node itself would look beside the code and above it. Hooks of Node's module customization, which may run in a thread of
 * their own: `initialize` tells them what register.mjs knows.
 */
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

let place;

export function initialize(data) {
  place = data;
}

/** The conditions of the package's own `exports` are those of the import, wherever it comes from. */
export function resolve(specifier, context, nextResolve) {
  const { parentURL } = context;
  const importer = parentURL?.startsWith('file:') ? fileURLToPath(parentURL) : undefined;
  return nextResolve(specifier, isFromEnvironment(specifier, importer, place) ? { ...context, parentURL: pathToFileURL(manifestOf(place)).href } : context);
}

/** What a package must seem to be asked from to be looked for in the environment. */
export function manifestOf({ environment }) {
  return join(environment, 'package.json');
}

/**
 * Whether the file `importer` means a package of the environment. Those win over others of that name that happen to lie
 * beside the model or above it; packages find what they need themselves by where they lie.
 */
export function isFromEnvironment(specifier, importer, { environment, folder }) {
  if (importer === undefined || isInPackage(importer, environment, folder)) return false;
  const [, name] = /^((?:@[^/@:]+\/)?[^/.#@:][^/:]*)(\/|$)/.exec(specifier) ?? [];
  return name !== undefined && !isBuiltin(specifier) && existsSync(join(environment, 'node_modules', name));
}

/** Lookout itself, and so a model of its own, may be installed as a package. */
function isInPackage(file, environment, folder) {
  if (file.startsWith(environment + sep)) return true;
  const below = file.startsWith(folder + sep) ? relative(folder, file) : file;
  return below.split(sep).includes('node_modules');
}
