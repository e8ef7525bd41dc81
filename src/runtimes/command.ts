/** The `command` runtime: a program of the model's folder or on the PATH, run as it is. */
import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { LookoutError } from '../errors.ts';
import type { Model, Runtime } from '../types.ts';
import { childEnvironment, prepared, type Context } from './tools/start.ts';

export const summary = 'any program, as it is';

export function create(context: Context): Runtime {
  return {
    prepare: (model, progress, signal) => prepared(model, context, {
      provide: async () => ({ file: await findProgram(model), fingerprint: null }),
      command: ({ file }, work) => ({
        file,
        args: model.args,
        cwd: model.folder,
        env: childEnvironment(model, work),
      }),
    }, progress, signal),
  };
}

async function findProgram({ name, entry, folder }: Model): Promise<string> {
  const places = isAbsolute(entry) ? [entry] : entry.includes('/') ? [] : (process.env['PATH'] ?? '').split(delimiter).map((path) => join(path, entry));
  for (const place of places) {
    if (await access(place, constants.X_OK).then(() => true, () => false)) return place;
  }
  const why = isAbsolute(entry) ? 'may not be executed; try chmod +x' : `is neither in ${folder} nor on the PATH`;
  throw new LookoutError('model_unavailable', `model ${name}: its program ${entry} ${why}`);
}
