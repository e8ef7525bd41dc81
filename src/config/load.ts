/** Loads the settings: flags win over the environment, it over lookout.yaml, that over the command's defaults and the schema's. */
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { LookoutError } from '../errors.ts';
import { hasCode } from '../lib/files.ts';
import type { Config } from '../types.ts';
import { checkSettings } from './check.ts';
import type { Origin, Values } from './origins.ts';
import { fromEnvironment, fromFlags, fromYaml, pathText, SECRETS, serviceVariable, unknownVariables } from './origins.ts';
import { SETTINGS } from './schema.ts';
import { hostZoneTrouble } from './time-zone.ts';

export interface Loaded {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** The lookout.yaml that was read; null: there is none. */
  readonly file: string | null;
  /** Variables of the environment that hold a token or a camera's password, for nobody else to read. */
  readonly secrets: readonly string[];
}

export async function loadConfig({ flags, env, cwd, defaults = {} }: {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** What the command has instead of the schema's defaults. */
  readonly defaults?: Values;
}): Promise<Loaded> {
  const environment = fromEnvironment(env);
  const origins: Origin[] = [fromFlags(flags), environment];
  const named = textOf(flags.config) ?? textOf(env.LOOKOUT_CONFIG);
  const file = named === null ? join(dataFolder({ ...defaults, ...merge(origins) }, cwd), 'lookout.yaml') : resolve(cwd, named);
  const text = await readText(file, named !== null);
  const lines: string[] = [...environment.problems];
  const secrets = [...SECRETS];
  if (text !== null) {
    const yaml = fromYaml(file, text, env);
    origins.push(yaml);
    lines.push(...yaml.problems);
    secrets.push(...yaml.secrets);
  }

  const given = { ...defaults, ...merge(origins) };
  const values = { ...DEFAULTS, ...given, ...paths(given, cwd) };
  const checked = checkSettings(values);
  if ('problems' in checked) {
    for (const { path, part, message } of checked.problems) {
      const origin = origins.find((one) => Object.hasOwn(one.values, path[0] ?? ''));
      lines.push(`${origin?.place(path, part) ?? pathText(path)}: ${message}`);
    }
  }
  lines.push(...(await projectProblems(values.project)));
  if ('problems' in checked || lines.length > 0) {
    lines.sort(new Intl.Collator('en', { numeric: true }).compare);
    throw new LookoutError('config_invalid', `these settings need correction:\n${lines.join('\n')}`, { details: { problems: lines } });
  }
  const warnings = [...unknownVariables(env), ...serviceVariable(env), ...withoutEffect(given), ...zoneWarning(checked.config.time_zone, env), ...exposureWarning(checked.config, [...new Set(secrets)], env)];
  return { config: checked.config, warnings, file: text === null ? null : file, secrets };
}

const DEFAULTS: Values = Object.fromEntries(Object.entries(SETTINGS).map(([key, schema]) => [key, schema.default]));

/** Settings of earlier versions are accepted. */
function withoutEffect(given: Values): readonly string[] {
  return Object.hasOwn(given, 'batches_at_once') ? ['batches_at_once has no effect any more: frames are looked at as they come; leave it out'] : [];
}

function zoneWarning(setting: string, env: NodeJS.ProcessEnv): readonly string[] {
  const trouble = hostZoneTrouble(setting, env);
  if (trouble === null) return [];
  return [`the environment's TZ=${env['TZ'] ?? ''} is no name of a time zone, so times in records and schedules are in ${trouble.told}; set time_zone to ${trouble.instead}`];
}

/** What a process was started with its user can read for as long as it runs, whatever becomes of its variables. */
function exposureWarning({ runner_user }: Config, secrets: readonly string[], env: NodeJS.ProcessEnv): readonly string[] {
  const exposed = secrets.filter((name) => (env[name] ?? '') !== '');
  if (runner_user !== null || exposed.length === 0) return [];
  return [`${exposed.join(', ')}: models run as the user that Lookout runs as, and can read what it was started with; name files in ${exposed.map((name) => `${name}_FILE`).join(', ')} or use systemd's LoadCredential, and set runner_user to another user`];
}

/** The first origin that has a value wins. */
function merge(origins: readonly Origin[]): Values {
  return Object.fromEntries(origins.toReversed().flatMap(({ values }) => Object.entries(values)));
}

/** Where lookout.yaml is looked for, and what `<data_dir>` means. */
function dataFolder({ data_dir: folder, project }: Values, cwd: string): string {
  return resolve(cwd, textOf(folder) ?? join(textOf(project) ?? '', 'data'));
}

/** Absolute paths of everything that is a file or folder; a project keeps its own in place. */
function paths(given: Values, cwd: string): Values {
  const data = dataFolder(given, cwd);
  const project = textOf(given.project);
  const home = resolve(cwd, project ?? '');
  const records = `predictions.${given.format === 'ndjson' ? 'ndjson' : 'json'}`;
  const absolute = (key: keyof Config, otherwise: string): unknown => {
    const value = given[key] ?? otherwise;
    return typeof value === 'string' && value !== '' ? resolve(cwd, value.replace(/^<data_dir>(?=\/|$)/, data)) : value;
  };
  return {
    project: project === null ? (given.project ?? null) : home,
    data_dir: absolute('data_dir', data),
    frames_dir: absolute('frames_dir', join(home, 'frames')),
    models_dir: absolute('models_dir', join(home, 'models')),
    predictions: absolute('predictions', join(project === null ? data : home, records)),
    camera_data: absolute('camera_data', join(project === null ? data : home, 'camera_data.csv')),
  };
}

/** null when there is no such file and none was asked for. */
async function readText(file: string, required: boolean): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!required && hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw new LookoutError('config_invalid', `the settings in ${file} cannot be read: ${String(error)}`, { cause: error });
  }
}

async function projectProblems(project: unknown): Promise<readonly string[]> {
  if (typeof project !== 'string') return [];
  const isFolder = await stat(project).then((found) => found.isDirectory(), () => false);
  return isFolder ? [] : [`project: ${project} is no folder; name that of the Flask orchestrator`];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
