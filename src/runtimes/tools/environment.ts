/** The variables of a model's processes: what everybody gets, what its manifest gives it, and what it is. */
import { LookoutError } from '../../errors.ts';
import { forModels, forPrograms, type Environment } from '../../lib/environment.ts';
import { interpolate } from '../../lib/interpolate.ts';
import { leash, setLast } from '../../lib/leash.ts';
import type { Setup } from '../../runner/harness.ts';
import type { Model } from '../../types.ts';

/** What the model's program is told at its start. */
export function setupOf({ name, folder, weights_folders, options }: Model, work_folder: string): Setup {
  return { name, folder, weights_folders, work_folder, options };
}

/** Libraries that compute go by one of these. */
const THREADS = [
  'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'BLIS_NUM_THREADS', 'VECLIB_MAXIMUM_THREADS', 'NUMEXPR_NUM_THREADS', 'RAYON_NUM_THREADS',
  'TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS',
];

/** For whatever runs a model's own code, its probe too. Throws `model_unavailable` when its manifest takes a variable that is not there. */
export function modelEnvironment({ name, protocol, env, cpus }: Model): Environment {
  const own = Object.entries(env).map(([variable, text]) => [variable, interpolate(text, (taken) => {
    const value = Object.hasOwn(process.env, taken) ? process.env[taken] : undefined;
    if (value === undefined) throw new LookoutError('model_unavailable', `model ${name}: its manifest's env.${variable} takes ${taken}, which is not in Lookout's environment, or is a secret of its own`);
    return value;
  })] as const);
  const host = { ...(protocol === 'oneshot' ? forPrograms() : forModels()), ...(cpus === null ? {} : Object.fromEntries(THREADS.map((threads) => [threads, String(cpus)]))) };
  return { ...host, ...setLast(Object.fromEntries(own)) };
}

/** For what runs under a harness, which is told the rest by its arguments. What the model starts may be put on a leash too. */
export function harnessEnvironment(model: Model): Environment {
  return { ...modelEnvironment(model), LOOKOUT_MODEL: model.name, LOOKOUT_LEASH: leash };
}

/** One-shot programs and commands find in it what a harness would tell them. */
export function childEnvironment(model: Model, work: string): Environment {
  return { ...harnessEnvironment(model), LOOKOUT_SETUP: JSON.stringify(setupOf(model, work)) };
}
