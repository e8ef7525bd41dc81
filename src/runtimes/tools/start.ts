/** What the runtimes have in common: from a provided environment and a command to a Prepared that starts runners. */
import { isAbsolute, resolve } from 'node:path';
import { LookoutError } from '../../errors.ts';
import { giveToModels } from '../../lib/account.ts';
import { makeFolder } from '../../lib/files.ts';
import { markUsed } from '../../models/environments.ts';
import { isFile } from '../../models/paths.ts';
import type { RunnerCommand } from '../../runner/command.ts';
import { oneShotRunner } from '../../runner/one-shot.ts';
import { startRunner } from '../../runner/start.ts';
import type { Model, Prepared, Progress } from '../../types.ts';

/** What every runtime is created with. */
export interface Context {
  readonly data_dir: string;
  readonly offline: boolean;
}

/** How a runtime gets from a model to a command. */
export interface Provision<Provided extends { readonly fingerprint: string | null }> {
  /** Where the model is to run. Idempotent: asked again before every later start, it mends what broke since. */
  provide(progress: Progress, signal: AbortSignal): Promise<Provided>;
  /** `work`: a folder of the model's own, which outlives its runners. */
  command(place: Provided, work: string): RunnerCommand;
}

/** For a start, and for the probe. */
export const setupSecondsOf = ({ setup_deadline_seconds }: Model): number => setup_deadline_seconds ?? 120;

export async function prepared<Provided extends { readonly fingerprint: string | null }>(
  model: Model,
  { data_dir }: Context,
  way: Provision<Provided>,
  progress: Progress,
  signal: AbortSignal,
): Promise<Prepared> {
  signal.throwIfAborted();
  const work = resolve(data_dir, 'work', model.name);
  let place = await way.provide(progress, signal);
  // As it must be for the first start; what breaks until a later one is mended then.
  let looked = true;
  return {
    get fingerprint() {
      return place.fingerprint;
    },
    markUsed: async () => {
      if (place.fingerprint !== null) await markUsed(data_dir, model.name, place.fingerprint);
    },
    start: async (print, signal, watched = false) => {
      if (!looked) place = await way.provide(print, signal);
      looked = false;
      await makeFolder(work);
      await giveToModels(work);
      const command = { ...way.command(place, work), memory_mb: model.memory_mb };
      const hearing = { model: model.name, onLog: print, watched };
      return model.protocol === 'lines'
        ? startRunner(command, { ...hearing, start_deadline_ms: 1000 * setupSecondsOf(model) }, signal)
        : oneShotRunner(command, { ...hearing, work_dir: work });
    },
  };
}

/** For the runtimes with a harness: the program must be a file, and a harness hands on no words. */
export async function requireEntry({ name, entry, folder, protocol, args }: Model): Promise<void> {
  // The catalog leaves an entry as written when it is not in the folder.
  if (!isAbsolute(entry)) throw new LookoutError('model_unavailable', `model ${name}: its program ${entry} is not in ${folder}`);
  if (!(await isFile(entry))) throw new LookoutError('model_unavailable', `model ${name}: its program ${entry} is a folder; name the file in it`);
  if (protocol === 'lines' && args.length > 0) throw new LookoutError('model_unavailable', `model ${name}: args are for one-shot programs; use options instead`);
}
