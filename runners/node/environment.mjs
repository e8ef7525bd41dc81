/** Loads npm packages from a node model's environment: a folder of its own, away from the model's code. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A file of an installed package, also one that the package does not export. */
export const packageFile = (...path) => join(environment(), 'node_modules', ...path);

/** What `require(name)` gives inside the environment; ES modules too. */
export const load = (name) => createRequire(join(environment(), 'package.json'))(name);

function environment() {
  const folder = process.env.LOOKOUT_ENVIRONMENT;
  if (!folder) throw new Error('LOOKOUT_ENVIRONMENT is not set: it names the folder that holds node_modules; Lookout sets it when it starts a node model');
  return folder;
}
