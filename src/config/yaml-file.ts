/** Reads lookout.yaml into plain values, with the environment's put in and camera ids as they were typed. */
import type { Scalar } from 'yaml';
import { isMap, isPair, isScalar, visit } from 'yaml';

import { isForEverybody } from '../lib/environment.ts';
import { interpolate } from '../lib/interpolate.ts';
import { decoded } from '../lib/secrets.ts';
import { parseYaml, type Yaml } from '../lib/yaml.ts';
import { variable } from './variables.ts';

export interface YamlFile extends Pick<Yaml, 'position'> {
  readonly values: Readonly<Record<string, unknown>>;
  /** What is wrong with the text itself, each with file, line and column. */
  readonly problems: readonly string[];
  /** Variables of the environment that addresses and tokens were made with. */
  readonly secrets: readonly string[];
}

export function readYaml(file: string, text: string, env: NodeJS.ProcessEnv): YamlFile {
  const yaml = parseYaml(file, text);
  const { faults, position } = yaml;
  const resolved = resolveScalars(yaml, env);
  const { secrets } = resolved;
  const problems = [...faults, ...resolved.problems];
  // With broken syntax only what the text itself lacks is worth saying.
  const settings = yaml.broken ? {} : settingsOf(yaml);
  return typeof settings === 'string'
    ? { values: {}, problems: [...problems, settings], secrets, position }
    : { values: settings, problems, secrets, position };
}

/** The settings, or why there are none. */
function settingsOf({ document: { contents }, values, place }: Yaml): Readonly<Record<string, unknown>> | string {
  if (contents === null || (isScalar(contents) && contents.value === null)) return {};
  if (!isMap(contents)) return `${place(null)}: must be a mapping of settings to values`;
  const read = values();
  return 'fault' in read ? read.fault : read.value as Record<string, unknown>;
}

/** Puts the environment's values into `${NAME}`, and keeps camera ids such as 007 as they were written. */
function resolveScalars({ document, place }: Yaml, env: NodeJS.ProcessEnv): Pick<YamlFile, 'problems' | 'secrets'> {
  const problems: string[] = [];
  const secrets: string[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      problems.push(`${place(alias)}: *${alias.source} names no anchor before it`);
      return visit.REMOVE;
    },
    Scalar(role, scalar, ancestors) {
      const parent = ancestors.at(-1);
      if (role === 'key') return;
      const key = isPair(parent) && isScalar(parent.key) ? parent.key.value : null;
      if (typeof scalar.value === 'number' && key === 'camera_id') scalar.value = asWritten(scalar, scalar.value);
      if (typeof scalar.value !== 'string') return;
      const valueOf = (name: string): string => {
        const { value, problem } = variable(env, name);
        // An address such as file://${HOME}/clip.mp4 must not cost models their HOME.
        if ((key === 'url' || key === 'token' || key === 'camera_password' || isOfFollower(ancestors)) && !isForEverybody(name)) secrets.push(name);
        if (value === undefined) problems.push(`${place(scalar)}: ${problem ?? `the environment has no variable ${name}`}`);
        return value ?? '';
      };
      const [, before = '', login = '', after = ''] = (key === 'url' && LOGIN.exec(scalar.value)) || ['', '', '', scalar.value];
      scalar.value = interpolate(before, valueOf) + interpolate(login, (name) => encoded(valueOf(name))) + interpolate(after, valueOf);
    },
  });
  return { problems, secrets };
}

/** An address in its parts: what stands before its login, that, and what is behind. Of RTMP nobody decodes it. */
const LOGIN = /^((?!rtmp)[a-z][a-z0-9+.-]*:\/\/)([^/?#]*@)(.*)$/is;

/** A password as it stands in an address; what may be encoded already stays as it is, and so does a `:`, which may end the name before it. */
function encoded(login: string): string {
  const isEncoding = decoded(login) !== login;
  return (isEncoding ? login : login.replaceAll('%', '%25')).replace(/[/?#@\s"'<>\\]/g, (character) => (character === '\'' ? '%27' : encodeURIComponent(character)));
}

/** Passwords, keys and addresses of theirs have many names. */
function isOfFollower(ancestors: readonly unknown[]): boolean {
  return ancestors.some((one) => isPair(one) && isScalar(one.key) && one.key.value === 'followers');
}

/** 007 and 1e3 are numbers to YAML; as the name of a camera they are what was typed. */
function asWritten(scalar: Scalar, value: number): string | number {
  return scalar.source === undefined || scalar.source === String(value) ? value : scalar.source;
}
