/** The `node` runtime: npm packages in a folder of the model's own; a model without a package.json needs none. */
import type { Runtime } from '../types.ts';
import type { Context } from './tools/start.ts';

export const summary = 'a folder of npm packages';

/** What it takes is loaded with the first model that is prepared: command lines look at every runtime, and most prepare none. */
export function create(context: Context): Runtime {
  return { prepare: async (...asked) => (await import('./tools/node.ts')).prepare(context, ...asked) };
}
