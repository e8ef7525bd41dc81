/**
 * Keys of objects, made of a template. What is put into it is percent-encoded, so that no name makes a folder, and may be
 * decoded again; what is too long is cut and ends in a hash.
 */
import { createHash } from 'node:crypto';
import type { Item } from '../../types.ts';

/** What a key is made of. */
export interface KeyParts {
  readonly log: string;
  readonly camera: string;
  readonly id: string;
  readonly class: string;
  readonly rule: string;
  /** null: undated. */
  readonly time: Date | null;
}

const NAMES = ['log', 'camera', 'id', 'class', 'rule'] as const;
const TIMES = ['yyyy', 'mm', 'dd', 'hh'] as const;
const PLACEHOLDERS: readonly string[] = [...NAMES, ...TIMES];

/** Times in a row, with what separates them. */
const TIMES_IN_A_ROW = /\{(?:yyyy|mm|dd|hh)\}(?:[^{}A-Za-z0-9]*\{(?:yyyy|mm|dd|hh)\})*/g;
const ENDING = '.json';
/** Bytes of a part between two slashes: some servers keep it as a file, whose name may have 255. */
const LONGEST_PART = 200;
const HASH_LENGTH = 16;
/** S3 allows 1,024 bytes; what lies beside the JSON needs some of them. */
const LONGEST_KEY = 1000;

/** What is wrong with a template; null: nothing. */
export function keyFault(template: string): string | null {
  const unknown = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name).find((name) => !PLACEHOLDERS.includes(name));
  if (unknown !== undefined) return `key has the placeholder {${unknown}}; there are ${PLACEHOLDERS.map((name) => `{${name}}`).join(', ')}`;
  const literal = template.replace(/\{[^{}]*\}/g, '');
  if (/[{}]/.test(literal)) return 'key has a brace that belongs to no placeholder';
  if (!template.includes('{id}')) return 'key needs {id}: without it items would overwrite each other';
  if (!template.endsWith(ENDING)) return `key must end in ${ENDING}: pictures and clips lie beside it with endings of their own`;
  if (!/^[A-Za-z0-9!_.*'()=/-]*$/.test(literal)) return 'key may have letters, digits and !_.*\'()=-/ beside its placeholders';
  const parts = template.split('/');
  if (parts.some((part) => part === '' || /^\.+$/.test(part))) return 'key must not begin with a slash, nor have two in a row, nor dots alone between two';
  const longest = parts.reduce((sum, part) => sum + 1 + Math.min(LONGEST_PART, /\{(?:camera|id|class|rule)\}/.test(part) ? LONGEST_PART : part.length), 0);
  return longest > LONGEST_KEY ? `key may come to ${longest} bytes, and at most ${LONGEST_KEY} are allowed: it has too many parts` : null;
}

/** Key of an item's JSON, without its ending: what lies beside it begins with it. */
export function keyOf(template: string, item: Item): string {
  const { value, time } = item;
  const text = (field: unknown): string => (typeof field === 'string' ? field : '');
  // An event comes as several entries, which must be one object.
  const isEvent = item.log === 'events';
  const when = Date.parse(isEvent && typeof value['began_at'] === 'string' ? value['began_at'] : time ?? '');
  return stemOf(template, {
    log: item.log,
    camera: item.camera_id,
    id: isEvent ? eventId(item) : item.id,
    class: isEvent ? text(value['class']) : '',
    rule: isEvent ? text(value['rule']) : '',
    time: Number.isNaN(when) ? null : new Date(when),
  });
}

export function eventId({ id, value }: Item): string {
  return typeof value['id'] === 'string' ? value['id'] : id;
}

export function stemOf(template: string, parts: KeyParts): string {
  const stem = template.slice(0, -ENDING.length);
  const dated = parts.time === null ? stem.replace(TIMES_IN_A_ROW, 'undated') : stem;
  return dated.split('/').map((part) => cut(withoutDots(part.replace(/\{(\w+)\}/g, (_whole, name: string) => encoded(wordOf(name, parts)))))).join('/');
}

function wordOf(name: string, parts: KeyParts): string {
  const of = (digits: number, from: number): string => (parts.time?.toISOString().replace(/^[+-]\d\d/, '') ?? '').slice(from, from + digits);
  switch (name) {
    case 'yyyy': return of(4, 0);
    case 'mm': return of(2, 5);
    case 'dd': return of(2, 8);
    case 'hh': return of(2, 11);
    default: return parts[name as (typeof NAMES)[number]];
  }
}

/** What is not said reads `_`. */
function encoded(text: string): string {
  if (text === '') return '_';
  return [...Buffer.from(text, 'utf8')].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

/** Servers that keep objects as files would go up a folder. */
function withoutDots(part: string): string {
  return /^\.+$/.test(part) ? part.replaceAll('.', '%2E') : part;
}

/** Before the ending is added. */
function cut(part: string): string {
  const most = LONGEST_PART - ENDING.length;
  if (part.length <= most) return part;
  const hash = createHash('sha256').update(part).digest('hex').slice(0, HASH_LENGTH);
  // An escape is kept whole or not at all.
  return `${part.slice(0, most - HASH_LENGTH - 1).replace(/%.?$/, '')}~${hash}`;
}
