/** `lookout models`: what there is, and preparing it. */
import { createModels } from '../parts.ts';
import { missingWeights } from '../models/weights.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';
import { expectOwn } from './expect-own.ts';

export async function listModels(context: CommandContext): Promise<number> {
  const { config } = await prepareCommand(context);
  const { catalog } = await createModels(config);
  for (const entry of await catalog.list()) {
    if ('error' in entry) print(`${entry.name.padEnd(16)} broken     ${entry.error.message}`);
    else {
      const { name, model } = entry;
      print(`${name.padEnd(16)} ${model.origin.padEnd(10)} ${model.runtime.padEnd(8)} ${await missingWeights(model) ?? model.folder}`);
      if (model.notice !== null) print(`${' '.repeat(16)} ${model.notice}`);
    }
  }
  return 0;
}

export async function prepareModels(context: CommandContext, names: readonly string[]): Promise<number> {
  const { config } = await prepareCommand(context);
  await expectOwn(config);
  const { catalog, ...models } = await createModels(config);
  for (const name of names) {
    const { fingerprint } = await models.prepare(await catalog.get(name), (line) => { print(`${name}: ${line}`); }, context.signal);
    print(`${name}: ready${fingerprint === null ? '' : ` (environment ${fingerprint})`}`);
  }
  return 0;
}
