/** How models of the `node` runtime are prepared: npm packages in a folder of the model's own; a model without a package.json needs none. */
import { basename, dirname, join } from 'node:path';
import { forModels } from '../../lib/environment.ts';
import { provideEnvironment, type Recipe } from '../../models/environments.ts';
import { fingerprint } from '../../models/fingerprint.ts';
import type { RunnerCommand } from '../../runner/command.ts';
import { findingPackages, nodeHarness } from '../../runner/harness.ts';
import { PROTOCOL } from '../../runner/messages.ts';
import type { Model, Prepared, Runtime } from '../../types.ts';
import { childEnvironment, harnessEnvironment, setupOf } from './environment.ts';
import { installNode } from './install-node.ts';
import { ask, ToolFailed } from './run.ts';
import { prepared, requireEntry, type Context, type Provision } from './start.ts';

interface Provided {
  /** null: no packages, no environment. */
  readonly folder: string | null;
  readonly fingerprint: string | null;
}

export async function prepare(context: Context, ...[model, progress, signal]: Parameters<Runtime['prepare']>): Promise<Prepared> {
  await requireEntry(model);
  return prepared(model, context, provisionOf(model, context), progress, signal);
}

function provisionOf(model: Model, { data_dir, offline }: Context): Provision<Provided> {
  return {
    provide: async (progress, signal) => {
      if (!model.requirements.some((file) => basename(file) === 'package.json')) return { folder: null, fingerprint: null };
      const recipe: Recipe = {
        model: model.name,
        fingerprint: await fingerprint(model, factsOfNode()),
        build: (folder, words, signal) => installNode(folder, model, offline, words, signal),
        // The interpreter is the one that runs this; what can be gone is what it would load.
        works: (folder, signal) => isReadable(join(folder, 'node_modules'), signal),
      };
      return { folder: await provideEnvironment(data_dir, recipe, progress, signal), fingerprint: recipe.fingerprint };
    },
    command: ({ folder }, work) => commandOf(model, folder, work),
  };
}

function commandOf(model: Model, folder: string | null, work: string): RunnerCommand {
  const packages = folder === null ? {} : { LOOKOUT_ENVIRONMENT: folder, LOOKOUT_MODEL_FOLDER: model.folder };
  if (model.protocol === 'oneshot') {
    return { file: process.execPath, args: [...findingPackages, model.entry, ...model.args], cwd: dirname(model.entry), env: { ...childEnvironment(model, work), ...packages } };
  }
  const { file, args } = nodeHarness(process.execPath, model.entry, setupOf(model, work));
  return { file, args, cwd: work, env: { ...harnessEnvironment(model), ...packages } };
}

/** By the user that models run as. */
async function isReadable(folder: string, signal: AbortSignal): Promise<boolean> {
  try {
    await ask({ file: '/bin/sh', args: ['-c', '[ -r "$1" ] && [ -x "$1" ]', 'sh', folder], cwd: '/', env: forModels() }, signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ToolFailed && error.code === 1) return false;
    throw error;
  }
}

function factsOfNode(): Readonly<Record<string, string>> {
  return {
    implementation: 'node',
    major: process.version.split('.')[0] ?? '',
    platform: `${process.platform}-${process.arch}`,
    abi: process.versions.modules,
    libc: libc(),
    harness: `node ${PROTOCOL}`,
  };
}

/** `glibc 2.36`; elsewhere (musl, macOS) it has no version that Node tells. */
function libc(): string {
  // Without this the report asks the name server about every open socket.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? 'other' : `glibc ${header.glibcVersionRuntime}`;
}
