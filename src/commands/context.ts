/** What every command is given, and how it gets its settings and its log. */
import { loadConfig } from '../config/load.ts';
import { jsonText } from '../lib/json-line.ts';
import { createLog, type Log } from '../lib/log.ts';
import { writeTo } from '../lib/standard-streams.ts';
import { inLines } from '../lib/terminal.ts';
import { shareFiles } from '../lib/umask.ts';
import type { Config } from '../types.ts';
import { useRunnerUser } from './runner-user.ts';

export interface CommandContext {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Settings given by flag, by their key. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** `defaults` stand in for the schema's. */
export async function prepareCommand({ flags, signal }: CommandContext, defaults: Partial<Config> = {}): Promise<{ config: Config; log: Log }> {
  const { config, warnings, file, secrets } = await loadConfig({ flags, env: process.env, cwd: process.cwd(), defaults });
  // Installers and one-shot programs inherit the environment, and a program that fails may well print its own.
  for (const name of secrets) Reflect.deleteProperty(process.env, name);
  // The files of a project are read by the programs that have always read them.
  const shared = config.share_files ?? (config.project === null ? 'user' : 'all');
  // What models need is for their group.
  shareFiles(shared === 'user' && config.runner_user !== null ? 'group' : shared);
  const open = config.runner_user === null ? [] : await useRunnerUser(config.runner_user, config, file, signal);
  const log = createLog({ level: config.log_level, format: config.log_format });
  if (file !== null) log.info(`settings from ${file}`);
  for (const warning of [...warnings, ...open]) log.warn(warning);
  return { config, log };
}

/** What others wrote is in many of the lines, and not to be obeyed. */
export function print(text: string): void {
  writeTo(process.stdout, `${inLines(text)}\n`);
}

/** Where the standard output is a document. */
export function printAside(text: string): void {
  writeTo(process.stderr, `${inLines(text)}\n`);
}

/** For a program. */
export function printJson(value: unknown): void {
  print(jsonText(value, 2));
}
