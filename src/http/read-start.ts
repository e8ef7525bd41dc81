/** Reads what somebody asked to be started: camera id, address, models, options. */
import { isCameraId } from '../camera-id.ts';
import { LookoutError } from '../errors.ts';
import type { Json, StartRequest, StreamOptions } from '../types.ts';
import type { Fields } from './body.ts';
import { checker } from './check.ts';
import { streamOptions } from './openapi-schemas.ts';

const SCHEMES: readonly string[] = ['rtsp', 'rtsps', 'http', 'https'];
const OPTION_NAMES = Object.keys(streamOptions.properties);

export interface StartReader {
  /** `model_name` is `fallback` where the fields have none. */
  start(fields: Fields, fallback?: Json): StartRequest;
  url(value: Json | undefined): string;
}

/** `allow_schemes` are open beside those of cameras. */
export function createStartReader(allow_schemes: readonly string[]): StartReader {
  const schemes = [...new Set([...SCHEMES, ...allow_schemes])];
  const checkOptions = checker(streamOptions);

  const url = (value: Json | undefined): string => {
    const text = typeof value === 'string' ? value.trim() : '';
    const scheme = /^([a-z][a-z0-9+.-]*):\/\/./i.exec(text)?.[1]?.toLowerCase();
    // Never the address itself in a message: it may hold a password.
    if (scheme === undefined || /\p{Cc}/u.test(text) || text.length > 2048) {
      throw new LookoutError('bad_request', 'rtsp_url must be an address such as rtsp://192.168.1.20:554/stream.');
    }
    if (!schemes.includes(scheme)) {
      throw new LookoutError('forbidden_scheme', `rtsp_url must begin with one of ${schemes.join(', ')}, not with ${scheme}; the setting allow_schemes opens others.`);
    }
    return text;
  };

  const options = (fields: Fields): Partial<StreamOptions> => {
    const sent = Object.fromEntries(OPTION_NAMES.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
    checkOptions(sent);
    return sent;
  };

  return {
    url,
    start: (fields, fallback) => ({
      camera_id: readCameraId(fields['camera_id'], 'camera_id'),
      url: url(fields['rtsp_url']),
      models: readModels(fields['model_name'] ?? fallback),
      options: options(fields),
    }),
  };
}

/** Numbers stay numbers: they are answered as they were sent and matched as text. */
export function readCameraId(value: Json | undefined, field: string): string | number {
  if (typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return value;
  if (typeof value === 'string' && isCameraId(value)) return value;
  throw new LookoutError('bad_request', `${field} must be a number or a text of 1 to 128 characters without control characters, / and \\, and not . or ..`);
}

/** One name or several; undefined (nothing sent) means the default models. */
function readModels(value: Json | undefined): readonly string[] | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (names.length === 0 || !names.every((name) => typeof name === 'string' && name !== '')) {
    throw new LookoutError('bad_request', 'model_name must be the name of a model, or a list of names.');
  }
  return [...new Set(names as readonly string[])];
}
