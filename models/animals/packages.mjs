/** npm packages of this model, which lie in its environment. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What `require(name)` gives; packages of CommonJS are not told apart from others. */
export const load = createRequire(import.meta.url);

/** A file of an installed package, also one that the package does not export. */
export const packageFile = (...path) => join(process.env.LOOKOUT_ENVIRONMENT, 'node_modules', ...path);
