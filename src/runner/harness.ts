/** The words that start a model's own program under one of the two harnesses. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../lib/package.ts';
import type { Json } from '../types.ts';
import type { RunnerCommand } from './command.ts';

/** What a model's `setup` is told. */
export interface Setup {
  readonly name: string;
  readonly folder: string;
  readonly weights_folders: readonly string[];
  /** Where it may write: its working folder under a harness. */
  readonly work_folder: string;
  readonly options: { readonly [key: string]: Json };
}

type Words = Pick<RunnerCommand, 'file' | 'args'>;

/** `entry` under `python`, an interpreter's path. */
export function pythonHarness(python: string, entry: string, setup: Setup): Words {
  return { file: python, args: [join(packageRoot, 'runners/python/harness.py'), entry, JSON.stringify(setup)] };
}

/**
 * `entry` under `node`, an interpreter's path. Node cannot move its own descriptors, so a shell does it and steps aside:
 * messages leave by descriptor 3, a copy of stdout, and descriptor 1 becomes stderr; calls come by descriptor 4, a copy
 * of stdin, and descriptor 0 is at its end.
 */
export function nodeHarness(node: string, entry: string, setup: Setup): Words {
  const redirect = 'LOOKOUT_MESSAGES_FD=3 LOOKOUT_CALLS_FD=4 exec "$0" "$@" 3>&1 1>&2 4<&0 0</dev/null';
  return { file: '/bin/sh', args: ['-c', redirect, node, ...findingPackages, join(packageRoot, 'runners/node/harness.mjs'), entry, JSON.stringify(setup)] };
}

/** Words for Node, which its worker threads inherit: what lies in $LOOKOUT_MODEL_FOLDER finds the packages of $LOOKOUT_ENVIRONMENT. */
export const findingPackages: readonly string[] = ['--import', pathToFileURL(join(packageRoot, 'runners/node/register.mjs')).href];
