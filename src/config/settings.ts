/** The names of every setting on the command line and in the environment, and what a text given there means. */
import type { SettingSchema } from '../types.ts';
import { SETTINGS } from './schema.ts';

export interface Setting {
  readonly key: string;
  readonly flag: string;
  readonly env: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'list';
  readonly description: string;
  readonly default: unknown;
  /** `1 to 100`, `auto, keyframes, all`, or empty where anything goes. */
  readonly range: string;
}

const SCHEMAS = new Map(Object.entries(SETTINGS));

/** All that can be set by flag and environment, in the order of the schema: everything but lists of mappings. `defaults`: a command's own. */
export function listSettings(defaults: Readonly<Record<string, unknown>> = {}): readonly Setting[] {
  return [...SCHEMAS]
    .filter(([key]) => !['streams', 'followers', 'events'].includes(key))
    .map(([key, schema]) => ({
      key,
      flag: `--${key.replaceAll('_', '-')}`,
      env: `LOOKOUT_${key.toUpperCase()}`,
      kind: kindOf(schema),
      description: schema.description,
      default: defaults[key] ?? schema.default,
      range: rangeOf(schema),
    }));
}

/** What it does and what it may be, in the words of every table and help. */
export function meaningOf({ description, range }: Setting): string {
  return range === '' ? description : `${description} ${range}.`;
}

/** Its default as it would be written; empty: none. */
export function defaultOf({ default: value }: Setting): string {
  if (value === null) return '';
  return Array.isArray(value) ? value.join(', ') : JSON.stringify(value).replaceAll('"', '');
}

/** A text as the setting's type asks; a text that does not fit stays one, for the check to find. */
export function fromText(key: string, text: string): unknown {
  const schema = SCHEMAS.get(key);
  return schema === undefined ? text : asType(schema, text);
}

/** A text as the type of a schema asks; one that does not fit stays a text. */
export function asType(schema: Typed, text: string): unknown {
  if (isNullable(schema) && /^(none|null)$/i.test(text.trim())) return null;
  switch (kindOf(schema)) {
    case 'text':
      return text;
    case 'number':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
    case 'boolean':
      return BOOLEANS.get(text.trim().toLowerCase()) ?? text;
    case 'list':
      return splitList(text);
  }
}

export function splitList(text: string): readonly string[] {
  return text.split(',').map((word) => word.trim()).filter((word) => word !== '');
}

/** The range in words, for tables and messages. */
export function rangeOf(schema: Partial<SettingSchema>): string {
  if (schema.enum) return schema.enum.filter((value) => value !== null).join(', ');
  const { minimum, maximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  return minimum === undefined ? '' : `at least ${minimum}`;
}

const BOOLEANS = new Map([
  ...['true', 'yes', 'on', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', '0'].map((word) => [word, false] as const),
]);

type Typed = Pick<SettingSchema, 'type'>;

function kindOf({ type }: Typed): Setting['kind'] {
  const types = [type].flat();
  if (types.includes('string')) return 'text';
  if (types.includes('array')) return 'list';
  if (types.includes('boolean')) return 'boolean';
  return types.includes('number') || types.includes('integer') ? 'number' : 'text';
}

function isNullable({ type }: Typed): boolean {
  return [type].flat().includes('null');
}
