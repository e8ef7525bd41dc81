/** The manifest of a model folder: what model.yaml (or model.json) may say, and how it is read. */
import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { LookoutError } from '../errors.ts';
import type { Json, Weights } from '../types.ts';
import { checkYaml } from './checked-yaml.ts';
import { isFile } from './paths.ts';

export const MANIFEST_FILES = ['model.yaml', 'model.yml', 'model.json'] as const;

/** Sections that belong to the record itself. */
export const RESERVED_SECTIONS = ['basic', 'batch', 'models', 'schema_version'] as const;

/** As written; the catalog fills in what is left out. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly runtime: string;
  readonly entry: string;
  readonly args?: readonly string[];
  readonly protocol?: 'lines' | 'oneshot';
  readonly section?: string | null;
  readonly classes?: readonly string[] | null;
  readonly class_map?: Readonly<Record<string, string>>;
  readonly confidence?: number | null;
  readonly deadline_seconds?: number | null;
  readonly setup_deadline_seconds?: number | null;
  readonly state?: 'none' | 'stream';
  readonly look?: 'frame' | 'batch';
  readonly max_batch?: number;
  readonly mix?: boolean;
  readonly instances?: number;
  readonly probe?: string | null;
  readonly weights?: readonly (Pick<Weights, 'file'> & Partial<Weights>)[];
  readonly options?: { readonly [key: string]: Json };
  readonly requirements?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly memory_mb?: number | null;
  readonly cpus?: number | null;
}

/** Those of Lookout say what a model is, and are its own to set. */
const VARIABLE = /^(?!LOOKOUT_)[A-Za-z_][A-Za-z0-9_]*$/;

const word = { type: 'string', minLength: 1 } as const;
/** Inside the folder: neither absolute nor with a step up, also after a line end, which `.` would not see beyond. */
const inside = { type: 'string', pattern: '^(?!/)(?!([^]*/)?\\.\\.(/|$)).+$', description: 'a path inside the model folder' } as const;
/** The same with `*` in its last part at most. */
const weightsFile = { type: 'string', pattern: '^(?!/)(?!([^]*/)?\\.\\.(/|$))([^*]*/)?[^/]+$', description: 'a path inside the model folder, with * in its last part at most' } as const;

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['runtime', 'entry'],
  properties: {
    name: word,
    version: word,
    runtime: word,
    entry: word,
    args: { type: 'array', items: { type: 'string' } },
    protocol: { enum: ['lines', 'oneshot'] },
    section: {
      type: ['string', 'null'],
      pattern: `^(?!(${RESERVED_SECTIONS.join('|')})$)[a-z][a-z0-9_]*$`,
      description: `lower-case letters, digits and _, and none of ${RESERVED_SECTIONS.join(', ')}`,
    },
    classes: { type: ['array', 'null'], items: word, minItems: 1, uniqueItems: true },
    class_map: { type: 'object', additionalProperties: word },
    confidence: { type: ['number', 'null'], minimum: 0, maximum: 1 },
    deadline_seconds: { type: ['number', 'null'], exclusiveMinimum: 0, maximum: 86_400 },
    setup_deadline_seconds: { type: ['number', 'null'], exclusiveMinimum: 0, maximum: 86_400 },
    state: { enum: ['none', 'stream'] },
    look: { enum: ['frame', 'batch'] },
    max_batch: { type: 'integer', minimum: 1, maximum: 1000 },
    mix: { type: 'boolean' },
    instances: { type: 'integer', minimum: 1, maximum: 64 },
    probe: { type: ['string', 'null'], minLength: 1 },
    weights: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['file'],
        properties: {
          file: weightsFile,
          url: { type: ['string', 'null'], pattern: '^https?://', description: 'an http or https address' },
          sha256: { type: ['string', 'null'], pattern: '^[0-9a-fA-F]{64}$', description: '64 hexadecimal digits' },
          required: { type: 'boolean' },
        },
      },
    },
    options: { type: 'object' },
    requirements: { type: 'array', items: inside },
    env: { type: 'object', additionalProperties: { type: 'string' } },
    memory_mb: { type: ['integer', 'null'], minimum: 1 },
    cpus: { type: ['integer', 'null'], minimum: 1, maximum: 1024 },
  },
};

const validate = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true, validateSchema: false, code: { optimize: false } }).compile<Manifest>(schema);

/** The manifest in `file`; throws `model_unavailable` with every error, one a line. */
export async function readManifest(file: string, name: string): Promise<Manifest> {
  // A pipe would be waited for, for ever.
  if (!(await isFile(file))) throw wrong(name, [`${file}: it is not a file`]);
  const bytes = await readFile(file).catch((error: unknown) => { throw wrong(name, [`${file}: it cannot be read: ${String(error)}`]); });
  if (!isUtf8(bytes)) throw wrong(name, [`${file}: it is not in UTF-8; save it so`]);
  const checked = checkYaml(file, bytes.toString('utf8'), validate);
  if ('errors' in checked) throw wrong(name, checked.errors);
  const { value, at } = checked;
  const errors: string[] = [];
  if (value.name !== undefined && value.name !== name) errors.push(`${at(['name'])}: name is "${value.name}" but the folder is "${name}"; rename one of them`);
  for (const [index, { file: path, url }] of (value.weights ?? []).entries()) {
    if (url && path.includes('*')) errors.push(`${at(['weights', index, 'file'])}: a file that is fetched needs its whole name, without *`);
  }
  for (const variable of Object.keys(value.env ?? {})) {
    if (!VARIABLE.test(variable)) errors.push(`${at(['env', variable])}: ${variable} is no name of a variable that a model may be given: letters, digits and _, and not LOOKOUT_ before them`);
  }
  if (errors.length > 0) throw wrong(name, errors);
  return value;
}

export function manifestPaths(folder: string): readonly string[] {
  return MANIFEST_FILES.map((file) => join(folder, file));
}

function wrong(name: string, errors: readonly string[]): LookoutError {
  return new LookoutError('model_unavailable', `model ${name}: its manifest is wrong:\n${errors.join('\n')}`, { details: { errors } });
}
