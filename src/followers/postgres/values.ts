/** Reads values that may be anything for columns that may not: what no column holds is null. */
import { isObject } from '../../lib/objects.ts';
import { isTime } from '../../words/time.ts';

export type Fields = Readonly<Record<string, unknown>>;

export const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {});
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
export const booleanOf = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);
export const numberOf = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** What an integer of PostgreSQL holds. */
export const wholeOf = (value: unknown): number | null => (Number.isInteger(value) && Math.abs(value as number) < 2 ** 31 ? value as number : null);

export const textsOf = (value: unknown): readonly string[] | null => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : null);

/** RFC 3339, of the years that both know; other texts mean something else to each program. */
export function timeOf(value: unknown): string | null {
  if (typeof value !== 'string' || !isTime(value)) return null;
  const text = new Date(value).toISOString();
  return /^(?!0000)\d{4}-/.test(text) ? text : null;
}

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** Degrees; null: it is none. */
export function placeOf(latitude: unknown, longitude: unknown): Place | null {
  const [y, x] = [numberOf(latitude), numberOf(longitude)];
  return y === null || x === null || Math.abs(y) > 90 || Math.abs(x) > 180 ? null : { latitude: y, longitude: x };
}

export interface Corners {
  readonly x1: number | null;
  readonly y1: number | null;
  readonly x2: number | null;
  readonly y2: number | null;
}

export const NO_BOX: Corners = { x1: null, y1: null, x2: null, y2: null };

export function cornersOf(box: unknown): Corners | null {
  const [x1, y1, x2, y2] = listOf(box).map(numberOf);
  return typeof x1 === 'number' && typeof y1 === 'number' && typeof x2 === 'number' && typeof y2 === 'number' ? { x1, y1, x2, y2 } : null;
}

/**
 * As JSON that PostgreSQL takes: it has no NUL in a text and no half of a surrogate pair, which become U+FFFD. JSON.stringify
 * writes either of them as an escape.
 */
export function jsonOf(value: unknown): string {
  const text = JSON.stringify(value);
  return /\\u(0000|d[89a-f])/.test(text) ? text.replace(/\\(?:u0000|ud[89a-f]..|.)/g, (escape) => (/^\\u(0000|d[89a-f])/.test(escape) ? '\ufffd' : escape)) : text;
}

/** The same for a text that things are told apart by. */
export const cleaned = (text: string): string => Buffer.from(text.replaceAll('\0', '\ufffd')).toString();
