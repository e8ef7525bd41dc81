/** What is known of a stream whether it runs or not: what was asked, by whom, and whether it may be. */
import { errorInfo, LookoutError } from '../errors.ts';
import { boundsOf, refuseAtOnce } from '../lib/reach.ts';
import { suggest } from '../lib/suggest.ts';
import type { Config, Source, StreamOptions, StreamSpec, StreamStatus } from '../types.ts';
import { CAMERA_MODEL, isPush, modelsThatLook } from '../words/push.ts';
import { isInterval, mayLackModels, SHORTEST_INTERVAL, USUAL_STREAM_OPTIONS } from '../words/stream-options.ts';
import { placeOf } from '../words/stream-place.ts';
import type { Stream } from './stream.ts';
import type { StoredStream } from './stream-store.ts';

export interface StreamEntry {
  readonly camera_id: string | number;
  readonly url: string;
  /** Nobody sent the address over HTTP. */
  readonly trusted: boolean;
  readonly models: readonly string[];
  readonly asked: Partial<StreamOptions>;
  readonly origin: StreamStatus['origin'];
  readonly schedule: string | null;
  readonly enabled: boolean;
  /** When its user started it; null: its next run is its first. `ms` is monotonic; null: it was in an earlier run of Lookout. */
  readonly begun: { readonly at: string; readonly ms: number | null } | null;
  readonly running: Stream | null;
  /** The last run, for its state and latest picture. */
  readonly last: Stream | null;
  /** Of the runs before the last. */
  readonly reconnects: number;
}

export interface StreamEntryParts {
  readonly config: Config;
  /** By URL scheme. */
  readonly sources: ReadonlyMap<string, Source>;
  readonly knownModels: () => Promise<readonly string[]>;
  readonly defaultModels: readonly string[];
}

export function specOf(entry: Pick<StreamEntry, 'camera_id' | 'url' | 'trusted' | 'models' | 'asked'>, config: Config): StreamSpec {
  const given = Object.fromEntries(Object.entries(entry.asked as Record<string, unknown>).filter(([, value]) => value !== undefined)) as Partial<StreamOptions>;
  const interval_seconds = given.interval_seconds ?? config.interval_seconds;
  const batch_size = given.batch_size ?? config.batch_size;
  const batch_deadline_seconds = given.batch_deadline_seconds ?? config.batch_deadline_seconds ?? Math.max(60, 2 * batch_size * interval_seconds);
  const options: StreamOptions = {
    ...USUAL_STREAM_OPTIONS, capture_mode: config.capture_mode, transport: config.transport, tls: config.tls, ...given, interval_seconds, batch_size, batch_deadline_seconds,
  };
  return { camera_id: String(entry.camera_id), url: entry.url, trusted: entry.trusted, models: modelsThatLook(entry.models, entry.url), options };
}

/** `trusted`: not sent over HTTP. Throws `forbidden_scheme` and `forbidden_address`. */
export function sourceOf(url: string, trusted: boolean, { config, sources }: Pick<StreamEntryParts, 'config' | 'sources'>): Source {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? 'file';
  const source = sources.get(scheme);
  const isAllowed = ([one, { needsLeave = false }]: readonly [string, Source]): boolean => trusted || !needsLeave || config.allow_schemes.includes(one);
  const allowed = [...sources].filter(isAllowed).map(([one]) => one);
  if (!source || !allowed.includes(scheme)) {
    const others = [...sources.keys()].filter((one) => !allowed.includes(one));
    const more = others.length === 0 ? '' : `; the setting allow_schemes opens ${others.join(', ')}`;
    throw new LookoutError('forbidden_scheme', `URLs of the scheme ${scheme}${hint(scheme, allowed)} are not allowed, only ${allowed.join(', ')}${more}`);
  }
  const place = placeOf(url);
  if (!trusted && place) refuseAtOnce(place, boundsOf(config));
  return source;
}

/** What lookout.yaml and the last run name, by camera; yaml wins. Throws when the settings ask for what there is not. */
export async function remembered(parts: StreamEntryParts, last: readonly StoredStream[]): Promise<Map<string, StreamEntry>> {
  const { config, defaultModels } = parts;
  const configured = config.streams.map((one): StreamEntry => ({
    camera_id: one.camera_id, url: one.url, trusted: true, models: one.models ?? defaultModels, asked: one.options ?? {},
    origin: 'yaml', schedule: one.schedule ?? null, enabled: one.enabled ?? true, begun: null, running: null, last: null, reconnects: 0,
  }));
  const known = await parts.knownModels();
  const faults = [
    faultOf('default_models', () => { checkModels(defaultModels, null, {}, known); }),
    ...config.streams.map(({ url, models, options = {} }, index) => faultOf(`streams[${index}]`, () => {
      sourceOf(url, true, parts);
      checkOptions(options, url);
      if (models) checkModels(models, url, options, known);
    })),
  ].filter((fault) => fault !== null);
  if (faults.length > 0) throw new LookoutError('config_invalid', `these settings need correction:\n${faults.join('\n')}`);
  const stored = last.map(({ options, started_at: at, ...one }): StreamEntry => ({ ...one, begun: at === undefined ? null : { at, ms: null }, trusted: false, asked: options, origin: 'api', schedule: null, running: null, last: null, reconnects: 0 }));
  return new Map([...stored, ...configured].map((entry) => [String(entry.camera_id), entry]));
}

/** What is wrong with a setting; null: nothing. */
function faultOf(setting: string, check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    return `${setting}: ${errorInfo(error).message}`;
  }
}

/** Throws `bad_request`. */
export function checkOptions({ interval_seconds, on_demand }: Partial<StreamOptions>, url: string): void {
  if (on_demand === true && isPush(url)) throw new LookoutError('bad_request', 'on_demand is for cameras that are asked for their pictures; one that pushes (push:) brings them when it likes');
  if (!isInterval(interval_seconds, url)) throw new LookoutError('bad_request', `interval_seconds must be >= ${SHORTEST_INTERVAL}; only a camera that pushes (push:) may have 0: every picture`);
}

/** Throws `unknown_model`, and `bad_request` where there is none. `url`: of the stream that they are for; null: of any. `nameable`: the models that there are. */
export function checkModels(models: readonly string[], url: string | null, options: Partial<StreamOptions>, nameable: readonly string[]): void {
  const pushes = url !== null && isPush(url);
  if (models.length === 0 && !mayLackModels(url ?? '', options)) throw new LookoutError('bad_request', 'a stream needs a model; only one on demand, and that of a camera that pushes (push:), may have none');
  const known = nameable.filter((model) => model !== CAMERA_MODEL);
  const unknown = models.filter((model) => !known.includes(model) && !(pushes && model === CAMERA_MODEL));
  if (unknown.length > 0) {
    throw new LookoutError('unknown_model', `unknown model${unknown.length > 1 ? 's' : ''} ${unknown.map((one) => `'${one}'${hint(one, known)}`).join(', ')}; known: ${known.join(', ')}`);
  }
}

function hint(word: string, known: readonly string[]): string {
  const near = suggest(word, known);
  return near === null ? '' : ` (did you mean ${near}?)`;
}
