/** Runs a model's probe in its new environment: its author's own line, which may wait for what never comes. */
import type { BuildWords } from '../../models/environments.ts';
import type { RunnerCommand } from '../../runner/command.ts';
import type { Model } from '../../types.ts';
import { modelEnvironment } from './environment.ts';
import { run } from './run.ts';
import { setupSecondsOf } from './start.ts';

/** `command` takes the probe as its last word. */
export async function probe(model: Model, command: RunnerCommand, { step, output }: BuildWords, signal: AbortSignal): Promise<void> {
  if (model.probe === null) return;
  step(`probing: ${model.probe}`);
  const seconds = setupSecondsOf(model);
  const limit = { ms: 1000 * seconds, renewed: false, why: `was not over after ${seconds} s (setup_deadline_seconds) and was ended` };
  await run({ ...command, args: [...command.args, model.probe], env: { ...command.env, ...modelEnvironment(model) } }, output, signal, limit);
}
