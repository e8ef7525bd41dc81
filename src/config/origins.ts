/** Where settings come from: flags, the environment and lookout.yaml, each with a name for the place of every value. */
import { isObject } from '../lib/objects.ts';
import { suggest } from '../lib/suggest.ts';
import type { Path } from '../lib/yaml.ts';
import type { SettingSchema } from '../types.ts';
import { EVENT_RULE } from '../words/event-rules.ts';
import { STREAM_OPTIONS } from '../words/stream-options.ts';
import { followerTexts } from './followers.ts';
import { SETTINGS, STREAM } from './schema.ts';
import { asType, fromText, listSettings } from './settings.ts';
import { variable } from './variables.ts';
import { readYaml, type YamlFile } from './yaml-file.ts';

/** The settings that are secrets. */
export const TOKEN = 'LOOKOUT_TOKEN';
const CAMERA_PASSWORDS = ['LOOKOUT_CAMERA_PASSWORD', 'CAMERA_PASSWORD'];
export const SECRETS: readonly string[] = [TOKEN, ...CAMERA_PASSWORDS];
const PORT = 'LOOKOUT_PORT';
/** Names that other systems have for a setting. */
const ALSO: Readonly<Record<string, string>> = { port: 'PORT', camera_password: 'CAMERA_PASSWORD' };

export type Values = Readonly<Record<string, unknown>>;

/** Values of one origin, and how a message names the place of one of them. */
export interface Origin {
  readonly values: Values;
  place(path: Path, part: 'key' | 'value'): string;
}

/** Flags as commander has them (`intervalSeconds`); those that are no settings belong to the command. */
export function fromFlags(flags: Values): Origin {
  const names = new Map(listSettings().map(({ key, flag }) => [key, flag]));
  const entries = Object.entries(flags)
    .map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll('-', '_'), value] as const)
    .filter(([key, value]) => names.has(key) && value !== undefined)
    .map(([key, value]) => [key, typeof value === 'string' ? fromText(key, value) : value] as const);
  return { values: Object.fromEntries(entries), place: ([key]) => names.get(String(key)) ?? String(key) };
}

/** An empty variable is one that is not set. A secret may also stand in a file. */
export function fromEnvironment(env: NodeJS.ProcessEnv): Origin & Pick<YamlFile, 'problems'> {
  const secrets = SECRETS.map((name) => ({ name, ...variable(env, name) }));
  const known: NodeJS.ProcessEnv = { ...env, ...Object.fromEntries(secrets.map(({ name, value }) => [name, value])), ...(isOfService(env) && { [PORT]: undefined }) };
  const found = listSettings().flatMap(({ key, env: name }) => {
    const names = [name, ALSO[key] ?? []].flat();
    const used = names.find((candidate) => (known[candidate] ?? '') !== '');
    return used === undefined ? [] : [{ key, used, value: fromText(key, known[used] ?? '') }];
  });
  return {
    problems: secrets.flatMap(({ problem }) => problem ?? []),
    values: Object.fromEntries(found.map(({ key, value }) => [key, value])),
    place: ([key]) => found.find((one) => one.key === key)?.used ?? String(key),
  };
}

/** Texts are read as elsewhere, so that `${PORT}` may be a number; a key without a value is one that is not set. */
export function fromYaml(file: string, text: string, env: NodeJS.ProcessEnv): Origin & Pick<YamlFile, 'problems' | 'secrets'> {
  const yaml = readYaml(file, text, env);
  const entries = Object.entries(yaml.values)
    .filter(([key, value]) => value !== null || !Object.hasOwn(SETTINGS, key))
    .map(([key, value]) => [key, typeof value === 'string' ? fromText(key, value) : value] as const)
    .map(([key, value]) => [key, Array.isArray(value) ? value.map(ITEMS[key] ?? ((item: unknown) => item)) : value] as const);
  return {
    values: Object.fromEntries(entries),
    problems: yaml.problems,
    secrets: yaml.secrets,
    place: (path, part) => `${yaml.position(path, part)}: ${pathText(path)}`,
  };
}

const ITEMS: Readonly<Record<string, (item: unknown) => unknown>> = { streams: readStream, events: readRule, followers: (item) => readTexts(item, followerTexts(item)) };

/** In a stream too `${SECONDS}` may be a number, and its `models` one name or names with commas. */
function readStream(stream: unknown): unknown {
  const read = readTexts(stream, STREAM.properties);
  return isObject(read) && 'options' in read ? { ...read, options: readTexts(read.options, STREAM_OPTIONS) } : read;
}

function readRule(rule: unknown): unknown {
  const { min_frames: minFrames, ...others } = EVENT_RULE.properties;
  const read = readTexts(rule, others);
  return isObject(read) && 'min_frames' in read ? { ...read, min_frames: readTexts(read['min_frames'], minFrames.properties) } : read;
}

function readTexts(values: unknown, schemas: Readonly<Record<string, Pick<SettingSchema, 'type'>>>): unknown {
  if (!isObject(values)) return values;
  return Object.fromEntries(Object.entries(values).map(([key, value]) => {
    const schema = Object.hasOwn(schemas, key) ? schemas[key] : undefined;
    return [key, schema && typeof value === 'string' ? asType(schema, value) : value];
  }));
}

/** Kubernetes tells all pods beside a Service named lookout where it is, by a variable that is our setting. */
const isOfService = (env: NodeJS.ProcessEnv): boolean => /^[a-z]+:\/\//.test(env[PORT] ?? '');

export function serviceVariable(env: NodeJS.ProcessEnv): readonly string[] {
  return isOfService(env) ? [`the environment's ${PORT}=${env[PORT] ?? ''} is the address of a Service of Kubernetes and no port, so it is passed over; enableServiceLinks: false keeps it out`] : [];
}

/** Names that were probably meant to be settings; others may be somebody else's. */
export function unknownVariables(env: NodeJS.ProcessEnv): readonly string[] {
  const known = ['CONFIG', ...SECRETS.map((secret) => `${secret.replace('LOOKOUT_', '')}_FILE`), ...listSettings().map(({ key }) => key.toUpperCase())];
  return Object.keys(env).flatMap((name) => {
    const word = name.startsWith('LOOKOUT_') ? name.slice('LOOKOUT_'.length) : null;
    const near = word === null || known.includes(word) ? null : suggest(word, known);
    return near === null ? [] : [`the environment's ${name} is no setting; did you mean LOOKOUT_${near}?`];
  });
}

/** `streams[0].options.batch_size` */
export function pathText(path: Path): string {
  return path.map((step, depth) => (typeof step === 'number' ? `[${step}]` : `${depth > 0 ? '.' : ''}${step}`)).join('');
}
