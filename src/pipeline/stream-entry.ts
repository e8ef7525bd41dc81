/** What is known of a stream whether it runs or not: what was asked, by whom, and whether it may be. */
import { errorInfo, LookoutError } from '../errors.ts';
import type { Config, Source, StreamOptions, StreamSpec, StreamStatus } from '../types.ts';
import type { Stream } from './stream.ts';
import type { StoredStream } from './stream-store.ts';

export interface Entry {
  readonly camera_id: string | number;
  readonly url: string;
  readonly models: readonly string[];
  readonly asked: Partial<StreamOptions>;
  readonly origin: StreamStatus['origin'];
  readonly schedule: string | null;
  readonly enabled: boolean;
  readonly running: Stream | null;
  /** The last run, for its state and latest picture. */
  readonly last: Stream | null;
}

export interface EntryParts {
  readonly config: Config;
  /** By URL scheme. */
  readonly sources: ReadonlyMap<string, Source>;
  readonly knownModels: () => Promise<readonly string[]>;
  readonly defaultModels: readonly string[];
}

export function specOf(entry: Entry, config: Config): StreamSpec {
  const given = Object.fromEntries(Object.entries(entry.asked as Record<string, unknown>).filter(([, value]) => value !== undefined)) as Partial<StreamOptions>;
  const interval_seconds = given.interval_seconds ?? config.interval_seconds;
  const batch_size = given.batch_size ?? config.batch_size;
  const batch_deadline_seconds = given.batch_deadline_seconds ?? config.batch_deadline_seconds ?? Math.max(60, 2 * batch_size * interval_seconds);
  const options: StreamOptions = {
    capture_mode: config.capture_mode, transport: config.transport, duration_seconds: null, ...given, interval_seconds, batch_size, batch_deadline_seconds,
  };
  return { camera_id: String(entry.camera_id), url: entry.url, models: [...new Set(entry.models)], options };
}

const CAMERA_SCHEMES: readonly string[] = ['rtsp', 'rtsps', 'http', 'https'];

/** `trusted`: not sent over HTTP. Throws `forbidden_scheme`. */
export function sourceOf(url: string, trusted: boolean, { config, sources }: EntryParts): Source {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? 'file';
  const source = sources.get(scheme);
  const allowed = trusted ? [...sources.keys()] : [...CAMERA_SCHEMES, ...config.allow_schemes];
  if (!source || !allowed.includes(scheme)) {
    const more = trusted ? '' : '; the setting allow_schemes opens others';
    throw new LookoutError('forbidden_scheme', `URLs of the scheme ${scheme} are not allowed, only ${allowed.join(', ')}${more}`);
  }
  return source;
}

/** What lookout.yaml and the last run name, by camera; yaml wins. Throws when lookout.yaml asks for what there is not. */
export async function remembered(parts: EntryParts, last: readonly StoredStream[]): Promise<Map<string, Entry>> {
  const { config, defaultModels } = parts;
  const configured = config.streams.map((one): Entry => ({
    camera_id: one.camera_id, url: one.url, models: one.models ?? defaultModels, asked: one.options ?? {},
    origin: 'yaml', schedule: one.schedule ?? null, enabled: one.enabled ?? true, running: null, last: null,
  }));
  const faults = (await Promise.all(configured.map((entry) => faultOf(entry, parts)))).flatMap((fault, index) => (fault === null ? [] : [`streams[${index}]: ${fault}`]));
  if (faults.length > 0) throw new LookoutError('config_invalid', `these streams of lookout.yaml need correction:\n${faults.join('\n')}`);
  const stored = last.map(({ options, ...one }): Entry => ({ ...one, asked: options, origin: 'api', schedule: null, running: null, last: null }));
  return new Map([...stored, ...configured].map((entry) => [String(entry.camera_id), entry]));
}

/** Why a stream of lookout.yaml cannot be; null: it can. */
async function faultOf({ url, models }: Entry, parts: EntryParts): Promise<string | null> {
  try {
    sourceOf(url, true, parts);
    await checkModels(models, parts);
    return null;
  } catch (error) {
    return errorInfo(error).message;
  }
}

/** Throws `unknown_model`. */
export async function checkModels(models: readonly string[], { knownModels }: EntryParts): Promise<void> {
  const known = await knownModels();
  const unknown = models.filter((model) => !known.includes(model));
  if (unknown.length > 0) {
    throw new LookoutError('unknown_model', `unknown model${unknown.length > 1 ? 's' : ''} ${unknown.map((one) => `'${one}'`).join(', ')}; known: ${known.join(', ')}`);
  }
}
