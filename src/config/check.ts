/** Checks complete settings against the schema and against each other, and says every problem in words. */
import type { ErrorObject } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { joinFaults, MOST_FAULTS } from '../lib/faults.ts';
import { letsOthersIn } from '../lib/loopback.ts';
import { isObject } from '../lib/objects.ts';
import { shorten } from '../lib/shorten.ts';
import { suggest } from '../lib/suggest.ts';
import { pathOf, type Path } from '../lib/yaml.ts';
import type { Config, SettingSchema } from '../types.ts';
import { EVENT_RULE, rulesFault, type GivenRule } from '../words/event-rules.ts';
import { isPush } from '../words/push.ts';
import { mayLackModels, SHORTEST_INTERVAL, STREAM_OPTIONS } from '../words/stream-options.ts';
import { followerFault, followerSchema, withDefaults } from './followers.ts';
import { FORMATS } from './formats.ts';
import { CONFIG_SCHEMA, STREAM } from './schema.ts';
import { rangeOf } from './settings.ts';

export interface Problem {
  /** Where in the settings, e.g. `['streams', 0, 'url']`. */
  readonly path: Path;
  /** Whether the key itself is wrong or what it is set to. */
  readonly part: 'key' | 'value';
  readonly message: string;
}

export type Checked = { readonly config: Config } | { readonly problems: readonly Problem[] };

// The schemas are Lookout's own, and each is used a few times: checking them against the schema of schemas, and making their code
// faster, takes longer at each start than all that they check.
const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, verbose: true, validateSchema: false, code: { optimize: false } });
for (const [name, { validate }] of Object.entries(FORMATS)) ajv.addFormat(name, validate);
const isConfig = ajv.compile<Config>(CONFIG_SCHEMA);
const isStream = ajv.compile(STREAM);
const isRule = ajv.compile<GivenRule>(EVENT_RULE);

export function checkSettings(values: Readonly<Record<string, unknown>>): Checked {
  const together = [...duplicateProblems(values), ...followerProblems(values), ...ruleProblems(values), ...pushProblems(values), ...pushCameraProblems(values)];
  if (isConfig(values) && together.length === 0) return { config: { ...values, followers: values.followers.map(withDefaults) as unknown as Config['followers'] } };
  return { problems: firstOfEachPath([...(isConfig.errors ?? []).map(problemOf), ...together]) };
}

function ruleProblems({ events }: Readonly<Record<string, unknown>>): readonly Problem[] {
  if (!Array.isArray(events) || !events.every((rule) => isObject(rule))) return [];
  const fault = rulesFault(events as unknown as readonly GivenRule[]);
  return fault === null ? [] : [{ path: ['events'], part: 'value', message: fault }];
}

/** What is wrong with those whose type is known. */
function followerProblems({ followers }: Readonly<Record<string, unknown>>): readonly Problem[] {
  if (!Array.isArray(followers)) return [];
  const items: readonly unknown[] = followers;
  return items.flatMap((item, index): readonly Problem[] => {
    if (!isObject(item)) return [];
    const within = (problems: readonly Problem[]): readonly Problem[] => problems.map((problem) => ({ ...problem, path: ['followers', index, ...problem.path] }));
    const schema = followerSchema(item['type']);
    if (!schema) return [];
    const isRight = ajv.compile(schema);
    if (!isRight(item)) return within(firstOfEachPath((isRight.errors ?? []).map(problemOf)));
    const fault = followerFault(item);
    if (fault !== null) return within([{ path: [], part: 'value', message: fault }]);
    const isSecond = items.slice(0, index).some((one) => isObject(one) && one['name'] === item['name']);
    return isSecond ? within([{ path: ['name'], part: 'value', message: `${String(item['name'])} is another's name already` }]) : [];
  });
}

/** What is wrong with one item of `streams:`, or with a stream that was kept; null: nothing. */
export function streamFault(value: unknown): string | null {
  const [first] = isStream(value) ? faultsOfStream(value) : (isStream.errors ?? []).slice(0, 1).map(problemOf);
  if (first === undefined && isStream(value)) return null;
  return first === undefined ? 'it is no stream' : `${first.path.join('.')}${first.path.length > 0 ? ' ' : ''}${first.message}`;
}

/** What is wrong with a rule of events; null: nothing. */
export function ruleFault(value: unknown): string | null {
  if (isRule(value)) return rulesFault([value]);
  const errors = isRule.errors ?? [];
  const faults = firstOfEachPath(errors.slice(0, MOST_FAULTS).map(problemOf)).map(({ path, message }) => `${shorten(path.join('.'), 50)} ${message}`);
  return joinFaults(faults, errors.length - MOST_FAULTS);
}

function problemOf(error: ErrorObject): Problem {
  const path = pathOf(error.instancePath);
  const schema = error.parentSchema as Partial<SettingSchema> & { properties?: Record<string, unknown> };
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const near = suggest(key, Object.keys(schema.properties ?? {}));
      return { path: [...path, key], part: 'key', message: `unknown setting${near === null ? '' : `; did you mean ${near}?`}` };
    }
    case 'required':
      return { path, part: 'value', message: `${String(params.missingProperty)} is missing` };
    case 'format':
      return { path, part: 'value', message: FORMATS[String(params.format)]?.words ?? 'has a form that is not allowed' };
    case 'minLength':
    case 'minItems':
      return { path, part: 'value', message: 'must not be empty' };
    default:
      return { path, part: 'value', message: `must be ${expectation(schema)}${insteadOf(schema, error.data)}` };
  }
}

function expectation(schema: Partial<SettingSchema>): string {
  const range = rangeOf(schema);
  if (schema.enum) return `one of ${range}`;
  const types = [schema.type ?? []].flat().filter((type) => type !== 'null').map((type) => TYPE_WORDS[type] ?? type);
  return [types.join(' or '), range].filter((word) => word !== '').join(', ');
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
};

/** The value itself is shown only where no secret can stand: free texts may be tokens and addresses with passwords. */
function insteadOf(schema: Partial<SettingSchema>, value: unknown): string {
  const free = [schema.type ?? []].flat().includes('string') && !schema.enum;
  if (free && ['number', 'boolean'].includes(typeof value)) return '; put it in quotes';
  return free || value === null || typeof value === 'object' ? '' : `, not ${typeof value === 'number' ? value : shorten(JSON.stringify(value), 100)}`;
}

/** One mistake may break several rules of the schema; the first says enough. */
function firstOfEachPath(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const key = problem.message.endsWith('is missing') ? JSON.stringify(problem) : JSON.stringify(problem.path);
    return !seen.has(key) && seen.add(key);
  });
}

function duplicateProblems({ streams }: Readonly<Record<string, unknown>>): readonly Problem[] {
  if (!Array.isArray(streams)) return [];
  const ids = streams.map((stream: unknown) => cameraId(stream));
  return ids.flatMap((id, index): Problem[] =>
    id !== null && ids.indexOf(id) < index
      ? [{ path: ['streams', index, 'camera_id'], part: 'value', message: `${id} has a stream already; give it several models instead` }]
      : [],
  );
}

/** What only the streams of cameras that push may have. */
function pushProblems({ streams }: Readonly<Record<string, unknown>>): readonly Problem[] {
  if (!Array.isArray(streams)) return [];
  return streams.flatMap((stream: unknown, index): readonly Problem[] => faultsOfStream(stream).map((problem) => ({ ...problem, path: ['streams', index, ...problem.path] })));
}

/** Of the system that it stands in for everybody can read this one. */
const EVERYBODYS_PASSWORD = 'your_default_password';

function pushCameraProblems({ push_camera: camera, camera_password: password, push_camera_viewers: viewers, token, host, runner_user, insecure, streams }: Readonly<Record<string, unknown>>): readonly Problem[] {
  if (camera === null || camera === undefined) return [];
  const problem = (message: string, ...path: Path): Problem => ({ path, part: 'value', message });
  const isOpenToAll = token === null && (insecure === true || (typeof host === 'string' && !letsOthersIn({ host, runner_user: typeof runner_user === 'string' ? runner_user : null })));
  const others = Array.isArray(streams) ? streams.flatMap((stream: unknown, index) => (cameraId(stream) === camera && isObject(stream) && !isPush(String(stream['url'])) ? [index] : [])) : [];
  return [
    ...(password === null ? [problem('needs the password of its camera: set CAMERA_PASSWORD in the environment, or name its file in CAMERA_PASSWORD_FILE', 'push_camera')] : []),
    ...(password === EVERYBODYS_PASSWORD ? [problem('is the one that stands in the push-frame server\'s own code, which everybody knows: choose another', 'camera_password')] : []),
    ...(viewers === 'token' && isOpenToAll ? [problem('must not be token where no token is set', 'push_camera_viewers')] : []),
    ...others.map((index) => problem('must be push:, as push_camera names this camera', 'streams', index, 'url')),
  ];
}

function faultsOfStream(stream: unknown): readonly Problem[] {
  if (!isObject(stream)) return [];
  const { url, models, options } = stream;
  if (typeof url === 'string' && isPush(url)) return [];
  const { interval_seconds: interval, on_demand } = isObject(options) ? options : {};
  const range = { ...STREAM_OPTIONS.interval_seconds, minimum: SHORTEST_INTERVAL };
  return [
    ...(Array.isArray(models) && models.length === 0 && !mayLackModels(String(url), { on_demand: on_demand === true }) ? [{ path: ['models'], part: 'value' as const, message: 'must not be empty' }] : []),
    ...(typeof interval === 'number' && interval >= 0 && interval < SHORTEST_INTERVAL ? [{ path: ['options', 'interval_seconds'], part: 'value' as const, message: `must be ${expectation(range)}${insteadOf(range, interval)}` }] : []),
  ];
}

/** Numbers and texts are the same camera. */
function cameraId(stream: unknown): string | null {
  const id = typeof stream === 'object' && stream !== null && 'camera_id' in stream ? stream.camera_id : null;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : null;
}
