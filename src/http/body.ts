/** Reads the JSON a client sent. */
import express, { type Request } from 'express';
import { errorInfo, LookoutError } from '../errors.ts';
import type { Json } from '../types.ts';

export type Fields = Readonly<Record<string, Json | undefined>>;

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
  } catch {
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

function parse(bytes: Buffer): Json {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
}

const isObject = (value: Json | undefined): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
