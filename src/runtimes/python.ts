/** The `python` runtime: a virtual environment for each model, named by the fingerprint of what goes into it. */
import type { Runtime } from '../types.ts';
import type { Context } from './tools/start.ts';

export const summary = 'a Python virtual environment';

/** What it takes is loaded with the first model that is prepared: command lines look at every runtime, and most prepare none. */
export function create(context: Context): Runtime {
  return { prepare: async (...asked) => (await import('./tools/python.ts')).prepare(context, ...asked) };
}
