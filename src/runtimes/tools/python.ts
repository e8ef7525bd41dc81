/** How models of the `python` runtime are prepared: a virtual environment for each, named by the fingerprint of what goes into it. */
import { dirname } from 'node:path';
import { provideEnvironment, type Recipe } from '../../models/environments.ts';
import { fingerprint } from '../../models/fingerprint.ts';
import type { RunnerCommand } from '../../runner/command.ts';
import { pythonHarness } from '../../runner/harness.ts';
import { PROTOCOL } from '../../runner/messages.ts';
import type { Model, Prepared, Runtime } from '../../types.ts';
import { childEnvironment, harnessEnvironment, setupOf } from './environment.ts';
import { installPython, venvPython, wheelsOf } from './install-python.ts';
import { findInterpreter, starts } from './interpreter.ts';
import { prepared, requireEntry, type Context, type Provision } from './start.ts';

interface Provided {
  readonly python: string;
  readonly fingerprint: string | null;
}

export async function prepare(context: Context, ...[model, progress, signal]: Parameters<Runtime['prepare']>): Promise<Prepared> {
  await requireEntry(model);
  return prepared(model, context, provisionOf(model, context), progress, signal);
}

function provisionOf(model: Model, { data_dir, offline }: Context): Provision<Provided> {
  return {
    provide: async (progress, signal) => {
      if (model.adopted_venv !== null) {
        const python = venvPython(model.adopted_venv);
        if (await starts(python, signal)) return { python, fingerprint: null };
        progress(`the interpreter of ${model.adopted_venv} does not start, so an environment is built instead`);
      }
      const interpreter = await findInterpreter(signal);
      const recipe: Recipe = {
        model: model.name,
        fingerprint: await fingerprint(model, { ...interpreter.facts, harness: `python ${PROTOCOL}`, probe: model.probe ?? '' }, await wheelsOf(model)),
        build: (folder, words, signal) => installPython(folder, model, interpreter, offline, words, signal),
        works: (folder, signal) => starts(venvPython(folder), signal),
      };
      const folder = await provideEnvironment(data_dir, recipe, progress, signal);
      return { python: venvPython(folder), fingerprint: recipe.fingerprint };
    },
    command: ({ python }, work) => commandOf(model, python, work),
  };
}

function commandOf(model: Model, python: string, work: string): RunnerCommand {
  if (model.protocol === 'oneshot') return { file: python, args: [model.entry, ...model.args], cwd: dirname(model.entry), env: childEnvironment(model, work) };
  const { file, args } = pythonHarness(python, model.entry, setupOf(model, work));
  return { file, args, cwd: work, env: harnessEnvironment(model) };
}
