/** The `command` runtime: a program of the model's folder or on the PATH, run as it is. */
import type { Runtime } from '../types.ts';
import type { Context } from './tools/start.ts';

export const summary = 'any program, as it is';

/** What it takes is loaded with the first model that is prepared: command lines look at every runtime, and most prepare none. */
export function create(context: Context): Runtime {
  return { prepare: async (...asked) => (await import('./tools/command.ts')).prepare(context, ...asked) };
}
