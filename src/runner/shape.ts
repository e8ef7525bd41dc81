/** Checks of JSON that comes from a runner: each returns the value as its type or says what is wrong, and where. */
import { shorten } from '../lib/shorten.ts';
import type { Box, Json } from '../types.ts';

const SHOWN_CHARACTERS = 60;
/** A record holds the errors of its frames. */
const MAX_REASON = 2000;

/** What a runner said is not what it may say. */
export class Invalid extends Error {}

export function object(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw not(value, at, 'an object');
  return value as Record<string, unknown>;
}

export function list<T>(value: unknown, at: string, item: (value: unknown, at: string) => T): readonly T[] {
  return items(value, at).map((element, i) => item(element, `${at}[${i}]`));
}

/** What is in a list, whatever it is. */
export function items(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw not(value, at, 'a list');
  return value;
}

export function text(value: unknown, at: string): string {
  if (typeof value !== 'string') throw not(value, at, 'a text');
  return value;
}

/** A text that says why something failed; of a long one its beginning. */
export function reason(value: unknown, at: string): string {
  return shorten(text(value, at), MAX_REASON);
}

export function number(value: unknown, at: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw not(value, at, 'a number');
  return value;
}

/** A whole number from 0. */
export function index(value: unknown, at: string): number {
  if (!Number.isSafeInteger(value) || number(value, at) < 0) throw not(value, at, 'a whole number from 0');
  return value as number;
}

/** A whole number from 1. */
export function count(value: unknown, at: string): number {
  if (index(value, at) < 1) throw not(value, at, 'a whole number from 1');
  return value as number;
}

export function flag(value: unknown, at: string): boolean {
  if (typeof value !== 'boolean') throw not(value, at, 'true or false');
  return value;
}

/** No call may take longer, and sums of impossible times are no number any more. */
export const A_DAY_MS = 86_400_000;

export function milliseconds(value: unknown, at: string): number {
  const said = number(value, at);
  if (said < 0 || said > A_DAY_MS) throw not(value, at, `a number from 0 to ${A_DAY_MS}`);
  return said;
}

/** By how much a confidence may miss 0 and 1: sums of rounded numbers do. */
export const ROUNDING = 0.001;

export function confidence(value: unknown, at: string): number {
  const found = number(value, at);
  if (found < -ROUNDING || found > 1 + ROUNDING) throw not(value, at, 'between 0 and 1');
  return Math.min(Math.max(found, 0), 1);
}

export function box(value: unknown, at: string): Box {
  const [x1, y1, x2, y2, ...more] = list(value, at, number);
  if (x1 === undefined || y1 === undefined || x2 === undefined || y2 === undefined || more.length > 0) {
    throw not(value, at, 'four numbers');
  }
  return [x1, y1, x2, y2];
}

/** Not every reader of JSON can follow it without end. */
const MAX_DEPTH = 32;

/** Any JSON that can be written again: a number too large for JSON.parse is Infinity by now. */
export function json(value: unknown, at: string, depth = 0): Json {
  if (typeof value === 'number') return number(value, at);
  if (typeof value !== 'object' || value === null) return value as Json;
  if (depth === MAX_DEPTH) throw new Invalid(`${at} is nested deeper than ${MAX_DEPTH} levels`);
  for (const [key, inner] of Object.entries(value)) json(inner, Array.isArray(value) ? `${at}[${key}]` : member(at, key), depth + 1);
  return value as Json;
}

/** Whether a value holds more than `most` others, no deeper than `json` goes: told at once, where walking through them would take seconds. */
export function holdsMore(value: unknown, most: number): boolean {
  let left = most;
  const isBeyond = (inner: unknown, depth: number): boolean => {
    if (typeof inner !== 'object' || inner === null || depth > MAX_DEPTH) return false;
    const held: readonly unknown[] = Object.values(inner);
    left -= held.length;
    return left < 0 || held.some((one) => isBeyond(one, depth + 1));
  };
  return isBeyond(value, 0);
}

/** A key is the runner's word, and may be of any length. */
export function member(at: string, key: string): string {
  return `${at}.${key.slice(0, SHOWN_CHARACTERS)}`;
}

/** null stands for absent. */
export function optional<T>(value: unknown, at: string, check: (value: unknown, at: string) => T): T | null {
  return value === undefined || value === null ? null : check(value, at);
}

export function not(value: unknown, at: string, expected: string): Invalid {
  return new Invalid(`${at} is ${shown(value)}, not ${expected}`);
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value).slice(0, SHOWN_CHARACTERS);
  } catch {
    // What JSON.parse read may be nested too deep for JSON.stringify.
    return 'nested too deep to show';
  }
}
