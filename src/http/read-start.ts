/** Reads what somebody asked to be started: camera id, address, models, options. */
import { isCameraId } from '../words/camera-id.ts';
import { LookoutError } from '../errors.ts';
import { isInterval, mayLackModels, SHORTEST_INTERVAL } from '../words/stream-options.ts';
import { isStreamUrl, STREAM_URL_IN_WORDS } from '../words/stream-url.ts';
import type { Json, StartRequest, StreamOptions } from '../types.ts';
import type { Fields } from './body.ts';
import { checker } from './check.ts';
import { LONGEST_MODEL_NAME, MOST_MODELS, streamOptions } from './openapi-schemas.ts';

const OPTION_NAMES = Object.keys(streamOptions.properties);

const checkOptions = checker(streamOptions);

/** Models and options that the fields do not name are those of `shared`. */
export function readStart(fields: Fields, shared: Fields = {}): StartRequest {
  const url = readUrl(fields['rtsp_url'], 'rtsp_url');
  const camera_id = readCameraId(fields['camera_id'], 'camera_id');
  const options = readOptions({ ...shared, ...fields }, url);
  return { camera_id, url, models: readModels(modelsOf(fields) ?? modelsOf(shared), mayLackModels(url, options)), options };
}

/** By the Flask orchestrator's word for it, or by that of lookout.yaml and of changes. */
export function modelsOf(fields: Fields): Json | undefined {
  return fields['model_name'] ?? fields['models'];
}

/** Never the address itself in a message: it may hold a password. */
export function readUrl(value: Json | undefined, field: string): string {
  const text = typeof value === 'string' ? value.trim() : '';
  if (!isStreamUrl(text)) throw new LookoutError('bad_request', `${field} ${STREAM_URL_IN_WORDS}.`);
  return text;
}

export function readOptions(fields: Fields, url: string): Partial<StreamOptions> {
  const sent: Partial<StreamOptions> = Object.fromEntries(OPTION_NAMES.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
  checkOptions(sent);
  if (!isInterval(sent.interval_seconds, url)) throw new LookoutError('bad_request', `interval_seconds must be >= ${SHORTEST_INTERVAL}.`);
  return sent;
}

/** Numbers stay numbers: they are answered as they were sent and matched as text. */
export function readCameraId(value: Json | undefined, field: string): string | number {
  if (typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return value;
  if (typeof value === 'string' && isCameraId(value)) return value;
  throw new LookoutError('bad_request', `${field} must be a number or a text of 1 to 128 characters without control characters, / and \\, and not . or ..`);
}

/** One name or several, or none where that may be; undefined (nothing sent) means the default models. */
function readModels(value: Json | undefined, mayBeNone: boolean): readonly string[] | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  if ((names.length === 0 && !mayBeNone) || names.length > MOST_MODELS || !names.every((name) => typeof name === 'string' && name !== '' && name.length <= LONGEST_MODEL_NAME)) {
    throw new LookoutError('bad_request', `model_name, or models, must be the name of a model, or a list of 1 to ${MOST_MODELS} names, each of at most ${LONGEST_MODEL_NAME} characters.`);
  }
  return [...new Set(names as readonly string[])];
}
