/** Makes a model ready to run: its weights first, then the environment of its runtime. */
import { LookoutError } from '../errors.ts';
import type { Model, Prepared, Progress, Runtime } from '../types.ts';
import { suggestion } from './checked-yaml.ts';
import { provideWeights } from './weights.ts';

export async function prepareModel(model: Model, runtime: Runtime, progress: Progress, signal: AbortSignal): Promise<Prepared> {
  await provideWeights(model, progress, signal);
  return runtime.prepare(model, progress, signal);
}

/** The runtime that a model names, of those that there are. */
export function runtimeOf<T>(model: Model, runtimes: ReadonlyMap<string, T>): T {
  const runtime = runtimes.get(model.runtime);
  if (runtime !== undefined) return runtime;
  throw new LookoutError('model_unavailable', `model ${model.name}: there is no runtime "${model.runtime}"${suggestion(model.runtime, [...runtimes.keys()])}`);
}
