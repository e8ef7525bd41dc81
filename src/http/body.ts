/** Reads the JSON a client sent. */
import express, { type Request } from 'express';
import { errorInfo, LookoutError } from '../errors.ts';
import { isObject } from '../lib/objects.ts';
import { replaceNoNumbers } from '../lib/python-json.ts';
import type { Json } from '../types.ts';

export type Fields = Readonly<Record<string, Json | undefined>>;

/** What follows may recurse, or say something of each item: deeper and longer than anything that is asked for here. */
const DEEPEST = 32;
const MOST_ITEMS = 10_000;

/** As bytes: what malformed JSON means differs between the old routes and the new ones. */
export const readBytes = express.raw({ type: ['application/json', 'application/*+json'], limit: '1mb' });

/** The fields of a JSON object; anything else is a 400 that says what is wrong. */
export function jsonFields(request: Request): Fields {
  const bytes: unknown = request.body;
  if (!Buffer.isBuffer(bytes)) throw new LookoutError('bad_request', 'Send a JSON object with Content-Type: application/json.');
  let value: Json;
  try {
    value = parse(bytes);
  } catch (error) {
    if (error instanceof LookoutError) throw error;
    throw new LookoutError('bad_request', `The body is not valid JSON: ${errorInfo(error).message}.`, { cause: error });
  }
  return objectOf(value, 'The body');
}

/** As the Flask orchestrator read it: another content type, malformed JSON and empty values all count as no fields. */
export function lenientFields(request: Request): Fields {
  const bytes: unknown = request.body;
  if (!Buffer.isBuffer(bytes)) return {};
  let value: Json;
  try {
    value = parse(bytes);
  } catch (error) {
    if (error instanceof LookoutError) throw error;
    // Malformed: the old answer names the missing fields, nothing more.
    return {};
  }
  return truthy(value) ? objectOf(value, 'The body') : {};
}

export function objectOf(value: Json | undefined, what: string): Fields {
  if (isObject(value)) return value;
  throw new LookoutError('bad_request', `${what} must be a JSON object.`);
}

/** What Python takes for true. */
export function truthy(value: Json | undefined): value is Json {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Throws `bad_request` for what Python's JSON has and JSON has not, whoever asks: it was meant. */
function parse(bytes: Buffer): Json {
  if (bytes.subarray(0, 2).includes(0) || /^(\xff\xfe|\xfe\xff)/.test(bytes.toString('latin1', 0, 2))) {
    throw new LookoutError('bad_request', 'The body is in UTF-16 or UTF-32; send JSON in UTF-8.');
  }
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  try {
    const value = JSON.parse(text) as Json;
    expectModest(value);
    return value;
  } catch (error) {
    if (error instanceof LookoutError) throw error;
    if (isJson(replaceNoNumbers(text, '0'))) {
      throw new LookoutError('bad_request', 'The body holds NaN or Infinity, which are no numbers of JSON; leave them out or send null.', { cause: error });
    }
    throw error;
  }
}

/** Level by level: what is deep must not be deep here. */
function expectModest(value: Json): void {
  let level: readonly Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) throw new LookoutError('bad_request', `The body is nested more than ${DEEPEST} levels deep.`);
    level = level.flatMap(itemsOf);
  }
}

function itemsOf(value: Json): readonly Json[] {
  if (value === null || typeof value !== 'object') return [];
  const items: readonly Json[] = Object.values(value);
  if (items.length > MOST_ITEMS) throw new LookoutError('bad_request', `The body has a list, or an object, of more than ${MOST_ITEMS} items; send them in several requests.`);
  return items;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
