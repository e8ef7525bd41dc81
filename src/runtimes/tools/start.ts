/** What the runtimes have in common: from a provided environment and a command to a Prepared that starts runners. */
import { isAbsolute, join } from 'node:path';
import { LookoutError } from '../../errors.ts';
import { forModels, type Environment } from '../../lib/environment.ts';
import { leash } from '../../lib/leash.ts';
import type { Log } from '../../lib/log.ts';
import type { RunnerCommand } from '../../runner/command.ts';
import type { Setup } from '../../runner/harness.ts';
import { oneShotRunner } from '../../runner/one-shot.ts';
import { startRunner } from '../../runner/start.ts';
import type { Model, Prepared, Progress } from '../../types.ts';

/** What every runtime is created with. */
export interface Context {
  readonly data_dir: string;
  readonly log: Log;
  readonly offline: boolean;
}

/** How a runtime gets from a model to a command. */
export interface Provision<Provided extends { readonly fingerprint: string | null }> {
  /** Where the model is to run. Idempotent: asked again before every later start, it mends what broke since. */
  provide(progress: Progress, signal: AbortSignal): Promise<Provided>;
  command(place: Provided): RunnerCommand;
}

const START_DEADLINE_MS = 120_000;

export async function prepared<Provided extends { readonly fingerprint: string | null }>(
  model: Model,
  { log, data_dir }: Context,
  way: Provision<Provided>,
  progress: Progress,
  signal: AbortSignal,
): Promise<Prepared> {
  signal.throwIfAborted();
  const onLog = (line: string): void => { log.part(model.name).debug(line); };
  let place = await way.provide(progress, signal);
  // As it must be for the first start; what breaks until a later one is mended then.
  let looked = true;
  return {
    get fingerprint() {
      return place.fingerprint;
    },
    start: async (signal, watch) => {
      if (!looked) place = await way.provide(onLog, signal);
      looked = false;
      const command = way.command(place);
      const hearing = { model: model.name, onLog: watch ?? onLog, watched: watch !== undefined };
      return model.protocol === 'lines'
        ? startRunner(command, { ...hearing, start_deadline_ms: START_DEADLINE_MS }, signal)
        : oneShotRunner(command, { ...hearing, work_dir: join(data_dir, 'work', model.name) });
    },
  };
}

/** What the model's program is told at its start. */
export function setupOf({ name, folder, weights_folders, options }: Model): Setup {
  return { name, folder, weights_folders, options };
}

/** For what runs under a harness, which is told the rest by its arguments. What the model starts may be put on a leash too. */
export function harnessEnvironment({ name }: Model): Environment {
  return { ...forModels(), LOOKOUT_MODEL: name, LOOKOUT_LEASH: leash };
}

/** One-shot programs and commands find in it what a harness would tell them. */
export function childEnvironment(model: Model): Environment {
  return { ...harnessEnvironment(model), LOOKOUT_SETUP: JSON.stringify(setupOf(model)) };
}

/** For the runtimes with a harness: the program must be a file, and a harness hands on no words. */
export function requireEntry({ name, entry, folder, protocol, args }: Model): void {
  // The catalog leaves an entry as written when it is not in the folder.
  if (!isAbsolute(entry)) throw new LookoutError('model_unavailable', `model ${name}: its program ${entry} is not in ${folder}`);
  if (protocol === 'lines' && args.length > 0) throw new LookoutError('model_unavailable', `model ${name}: args are for one-shot programs; use options instead`);
}
