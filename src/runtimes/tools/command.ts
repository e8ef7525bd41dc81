/** How models of the `command` runtime are prepared: a program of the model's folder or on the PATH, run as it is. */
import { access, constants, open } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { LookoutError } from '../../errors.ts';
import { isFile } from '../../models/paths.ts';
import type { Model, Prepared, Runtime } from '../../types.ts';
import { childEnvironment } from './environment.ts';
import { prepared, type Context } from './start.ts';

export function prepare(context: Context, ...[model, progress, signal]: Parameters<Runtime['prepare']>): Promise<Prepared> {
  return prepared(model, context, {
    provide: async () => ({ file: await findProgram(model), fingerprint: null }),
    command: ({ file }, work) => ({
      file,
      args: model.args,
      cwd: model.folder,
      env: childEnvironment(model, work),
    }),
  }, progress, signal);
}

async function findProgram({ name, entry, folder }: Model): Promise<string> {
  const places = isAbsolute(entry) ? [entry] : entry.includes('/') ? [] : (process.env['PATH'] ?? '').split(delimiter).map((path) => join(path, entry));
  for (const place of places) {
    if (!(await isFile(place)) || !(await access(place, constants.X_OK).then(() => true, () => false))) continue;
    const flaw = await flawOfFirstLine(place);
    if (flaw !== null) throw new LookoutError('model_unavailable', `model ${name}: its program ${entry} ${flaw}`);
    return place;
  }
  const here = (await isFile(entry)) ? 'may not be executed; try chmod +x' : 'is a folder; name the file in it';
  const why = isAbsolute(entry) ? here : `is neither in ${folder} nor on the PATH`;
  throw new LookoutError('model_unavailable', `model ${name}: its program ${entry} ${why}`);
}

const FIRST_LINE_AT_MOST = 256;

/** Of a first line that names no program the system says only that the script itself is not there. */
async function flawOfFirstLine(script: string): Promise<string | null> {
  const file = await open(script).catch(() => null);
  // What may be executed need not be readable.
  if (file === null) return null;
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(FIRST_LINE_AT_MOST) });
    const [, interpreter] = /^#![ \t]*([^ \t\n]+)/.exec(buffer.toString('latin1', 0, bytesRead)) ?? [];
    if (interpreter === undefined || (await access(interpreter).then(() => true, () => false))) return null;
    if (interpreter.endsWith('\r')) return 'has line ends of Windows; save it with those of Unix';
    return `begins with #!${interpreter}, which is not there`;
  } finally {
    await file.close();
  }
}
