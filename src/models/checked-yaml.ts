/** Reads a YAML or JSON file against a JSON schema; every error at once, each with line and column. */
import type { ErrorObject, ValidateFunction } from 'ajv';
import { isScalar, type Document } from 'yaml';
import { suggest } from '../lib/suggest.ts';
import { parseYaml, pathOf, type Path } from '../lib/yaml.ts';

/** What a file holds, or everything that is wrong with it, one `file:line:column: words` a line. */
export type Checked<T> = { readonly value: T; readonly at: (path: Path) => string } | { readonly errors: readonly string[] };

/** `validate` must be compiled with `verbose`. A number where a text is asked for counts as it is written: `version: 1.0`. */
export function checkYaml<T>(file: string, text: string, validate: ValidateFunction<T>): Checked<T> {
  const { document, faults, values, position } = parseYaml(file, text);
  if (faults.length > 0) return { errors: faults };
  let read = values();
  if ('fault' in read) return { errors: [read.fault] };
  if (!validate(read.value) && takeAsWritten(document, validate.errors ?? [])) read = values();
  if ('fault' in read) return { errors: [read.fault] };
  const { value } = read;
  const at = (path: Path): string => position(path, 'key');
  if (validate(value)) return { value, at };
  const errors = (validate.errors ?? []).map((error) => {
    const extra = unknownKey(error);
    const path = [...pathOf(error.instancePath), ...(extra === null ? [] : [extra])];
    return `${at(path)}: ${extra === null ? wording(error, path.join('.')) : unknownWording(error, extra)}`;
  });
  return { errors: [...new Set(errors)] };
}

/** Whether a number became a text. */
function takeAsWritten(document: Document, errors: readonly ErrorObject[]): boolean {
  const numbers = errors
    .filter(({ keyword, schema, data }) => keyword === 'type' && [schema].flat().includes('string') && typeof data === 'number')
    .map(({ instancePath }) => document.getIn(pathOf(instancePath), true));
  for (const number of numbers) if (isScalar(number)) number.value = number.source;
  return numbers.some(isScalar);
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text', integer: 'a whole number', number: 'a number', boolean: 'true or false', array: 'a list', object: 'a mapping of keys to values',
};

function wording({ keyword, schema, parentSchema, message, params }: ErrorObject, name: string): string {
  if (keyword === 'required') return `${name === '' ? '' : `${name}.`}${String(params['missingProperty'])} is missing`;
  if (keyword === 'enum') return `${name} must be one of ${(schema as readonly unknown[]).join(', ')}`;
  const described: unknown = parentSchema?.['description'];
  if (keyword === 'pattern' && typeof described === 'string') return `${name} must be ${described}`;
  const what = name === '' ? 'the file' : name;
  // What may be left out as null was meant to be the other thing.
  if (keyword === 'type') return `${what} must be ${[schema as string | string[]].flat().filter((type) => type !== 'null').map((type) => TYPES[type] ?? type).join(' or ')}`;
  return `${what} ${message ?? 'is wrong'}`;
}

function unknownWording({ parentSchema }: ErrorObject, key: string): string {
  return `unknown key "${key}"${suggestion(key, Object.keys(parentSchema?.['properties'] as object))}`;
}

function unknownKey({ keyword, params }: ErrorObject): string | null {
  return keyword === 'additionalProperties' ? String(params['additionalProperty']) : null;
}

/** `; did you mean "…"?` when one of the known words is near, else the known words. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = suggest(word, known);
  if (near !== null) return `; did you mean "${near}"?`;
  return known.length === 0 ? '' : `; known: ${known.join(', ')}`;
}
