/** All streams: from lookout.yaml and from the API; started, stopped, changed, remembered, listed. */
import { errorInfo, LookoutError } from '../errors.ts';
import { redact } from '../lib/log.ts';
import type { Books as Balance, Config, ModelState, Source, StartRequest, StreamOptions, StreamSpec, StreamStatus } from '../types.ts';
import { worksAt } from './schedule.ts';
import { startStream, type Stream, type StreamParts } from './stream.ts';
import type { StoredStream, StreamStore } from './stream-store.ts';

export interface StreamsParts {
  readonly config: Config;
  /** By URL scheme. */
  readonly sources: ReadonlyMap<string, Source>;
  readonly stream: Omit<StreamParts, 'source'>;
  readonly store: StreamStore;
  readonly knownModels: () => Promise<readonly string[]>;
  readonly defaultModels: readonly string[];
  /** A stream with this model begins: time to provision it. */
  readonly wanted: (model: string) => void;
  readonly facts: {
    books(cameraId: string): Balance;
    queued(cameraId: string): number;
    modelState(model: string): { readonly state: ModelState; readonly reason: string };
    lastRecordAt(cameraId: string): string | null;
  };
}

export interface Streams {
  /** Starts what lookout.yaml and the last run name. */
  restore(): Promise<void>;
  start(request: StartRequest, origin?: Origin): Promise<'started' | 'already_running'>;
  stop(cameraId: string | number): Promise<'stopped' | 'not_running'>;
  change(cameraId: string, change: StreamChange): Promise<StreamStatus>;
  list(): readonly StreamStatus[];
  get(cameraId: string): StreamStatus | null;
  latest(cameraId: string): { readonly file: string; readonly captured_at: string } | null;
  /** Stops all captures; what was running comes back at the next start. */
  close(): Promise<void>;
}

type Origin = StreamStatus['origin'];
type StreamChange = Partial<Omit<StartRequest, 'camera_id'>> & { enabled?: boolean | undefined };

/** A stream that is known, running or not. */
interface Entry {
  readonly camera_id: string | number;
  readonly url: string;
  readonly models: readonly string[];
  readonly asked: Partial<StreamOptions>;
  readonly origin: Origin;
  readonly schedule: string | null;
  readonly enabled: boolean;
  readonly running: Stream | null;
  /** The last run, for its state and latest picture. */
  readonly last: Stream | null;
}

/** Streams that start together begin this far apart, at most over one interval. */
const STAGGER_MS = 100;

export function createStreams(parts: StreamsParts): Streams {
  const { config } = parts;
  const entries = new Map<string, Entry>();
  let schedules: NodeJS.Timeout | null = null;

  function specOf(entry: Entry): StreamSpec {
    const given = Object.fromEntries(Object.entries(entry.asked as Record<string, unknown>).filter(([, value]) => value !== undefined)) as Partial<StreamOptions>;
    const interval_seconds = given.interval_seconds ?? config.interval_seconds;
    const batch_size = given.batch_size ?? config.batch_size;
    const batch_deadline_seconds = given.batch_deadline_seconds ?? config.batch_deadline_seconds ?? Math.max(60, 2 * batch_size * interval_seconds);
    const options: StreamOptions = {
      capture_mode: config.capture_mode, transport: config.transport, duration_seconds: null, ...given, interval_seconds, batch_size, batch_deadline_seconds,
    };
    return { camera_id: String(entry.camera_id), url: entry.url, models: [...new Set(entry.models)], options };
  }

  function sourceOf(url: string, trusted: boolean): Source {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? 'file';
    const source = parts.sources.get(scheme);
    if (!source || (!trusted && !config.allow_schemes.includes(scheme))) {
      throw new LookoutError('forbidden_scheme', `URLs of the scheme ${scheme}: are not allowed; allowed: ${config.allow_schemes.join(', ')}`);
    }
    return source;
  }

  function run(id: string, entry: Entry, startAfterMs = 0): void {
    const source = sourceOf(entry.url, entry.origin !== 'api');
    const stream = startStream(specOf(entry), { ...parts.stream, source }, startAfterMs);
    entries.set(id, { ...entry, running: stream, last: stream });
    for (const model of entry.models) parts.wanted(model);
    void stream.ended.then(() => {
      const now = entries.get(id);
      if (now?.running !== stream) return;
      // Its duration is over: it is not to come back.
      entries.set(id, { ...now, running: null, enabled: false });
      save().catch((error: unknown) => {
        parts.stream.log.error(`${id}: that it has ended could not be stored`, { reason: errorInfo(error).message });
      });
    });
  }

  async function halt(id: string, reason: string): Promise<void> {
    const entry = entries.get(id);
    if (!entry?.running) return;
    entries.set(id, { ...entry, running: null });
    await entry.running.stop(reason);
  }

  function save(): Promise<void> {
    const stored = [...entries.values()].filter(({ origin }) => origin === 'api').map(
      ({ camera_id, url, models, asked, enabled }): StoredStream => ({ camera_id, url, models, options: asked, enabled }));
    return parts.store.save(stored);
  }

  async function checkModels(models: readonly string[]): Promise<void> {
    const known = await parts.knownModels();
    const unknown = models.filter((model) => !known.includes(model));
    if (unknown.length > 0) {
      throw new LookoutError('unknown_model', `unknown model${unknown.length > 1 ? 's' : ''} ${unknown.map((one) => `'${one}'`).join(', ')}; known: ${known.join(', ')}`);
    }
  }

  function working(entry: Entry): boolean {
    return entry.enabled && (entry.schedule === null || worksAt(entry.schedule, Date.now(), config.time_zone === 'system' ? undefined : config.time_zone));
  }

  /** Starts and stops what the hours of work say. */
  function followSchedules(): void {
    for (const [id, entry] of entries) {
      if (entry.schedule === null || !entry.enabled) continue;
      if (working(entry) && !entry.running) run(id, entry);
      else if (!working(entry) && entry.running) void halt(id, 'outside its hours of work');
    }
  }

  function status(entry: Entry): StreamStatus {
    const id = String(entry.camera_id);
    const spec = specOf(entry);
    const view = entry.last?.view();
    const base = view ?? {
      session: null, reason: entry.enabled ? 'outside its hours of work' : 'not started', since: new Date(0).toISOString(), reconnects: 0,
      capture_mode: null, last_frame_at: null, open_batch: 0, last_error: null,
    };
    // Pictures come, but no model can look at them: that is what its user must hear.
    const models = spec.models.map((model) => parts.facts.modelState(model));
    const stuck = (['provisioning', 'failed'] as const).find((state) => view?.state === 'running' && models.every((model) => model.state === state));
    const age = base.last_frame_at === null ? null : Math.round((Date.now() - Date.parse(base.last_frame_at)) / 100) / 10;
    return {
      camera_id: entry.camera_id, session: base.session, url: redact(entry.url), models: entry.models, options: spec.options,
      origin: entry.origin, enabled: entry.enabled, schedule: entry.schedule,
      state: stuck ?? view?.state ?? 'stopped',
      reason: (stuck && models[0]?.reason) ?? base.reason,
      since: base.since, reconnects: base.reconnects, capture_mode: base.capture_mode,
      last_frame_at: base.last_frame_at, last_frame_age_seconds: age, open_batch: base.open_batch,
      queued: parts.facts.queued(id), books: parts.facts.books(id), last_record_at: parts.facts.lastRecordAt(id), last_error: base.last_error,
    };
  }

  function known(cameraId: string): Entry {
    const entry = entries.get(cameraId);
    if (!entry) throw new LookoutError('not_found', `no stream of camera '${cameraId}'`);
    return entry;
  }

  async function start(request: StartRequest, origin: Origin = 'api'): Promise<'started' | 'already_running'> {
    const id = String(request.camera_id);
    const running = (): boolean => Boolean(entries.get(id)?.running);
    if (running()) return 'already_running';
    const models = request.models ?? parts.defaultModels;
    sourceOf(request.url, origin !== 'api');
    await checkModels(models);
    // Somebody else may have started it meanwhile.
    if (running()) return 'already_running';
    const before = entries.get(id);
    run(id, {
      camera_id: request.camera_id, url: request.url, models, asked: request.options ?? {}, enabled: true, running: null, last: before?.last ?? null,
      origin: before?.origin === 'yaml' ? 'yaml' : origin, schedule: before?.schedule ?? null,
    });
    await save();
    return 'started';
  }

  return {
    async restore() {
      const configured = config.streams.map((one): Entry => ({
        camera_id: one.camera_id, url: one.url, models: one.models ?? parts.defaultModels, asked: one.options ?? {},
        origin: 'yaml', schedule: one.schedule ?? null, enabled: one.enabled ?? true, running: null, last: null,
      }));
      const stored = (await parts.store.load()).map(({ options, ...one }): Entry => ({ ...one, asked: options, origin: 'api', schedule: null, running: null, last: null }));
      // yaml wins by camera.
      for (const entry of [...stored, ...configured]) entries.set(String(entry.camera_id), entry);
      await checkModels(configured.flatMap(({ models }) => models));
      const starting = [...entries].filter(([, entry]) => working(entry));
      const gap = Math.min(STAGGER_MS, (config.interval_seconds * 1000) / Math.max(1, starting.length));
      for (const [index, [id, entry]] of starting.entries()) {
        try {
          run(id, entry, index * gap);
        } catch (error) {
          // Allowed when it was stored; a line of lookout.yaml is to be corrected before anything starts.
          if (entry.origin === 'yaml') throw error;
          parts.stream.log.error(`${id} is not started`, { reason: errorInfo(error).message });
        }
      }
      schedules = setInterval(followSchedules, 10_000);
      schedules.unref();
    },
    start,
    async stop(cameraId) {
      const id = String(cameraId);
      const entry = entries.get(id);
      if (!entry?.running && !entry?.enabled) return 'not_running';
      entries.set(id, { ...entry, enabled: false });
      await halt(id, 'stopped by request');
      await save();
      return 'stopped';
    },
    async change(cameraId, change) {
      const entry = known(cameraId);
      const { url = entry.url, models = entry.models, options, enabled = entry.enabled } = change;
      // Who wrote the old address into lookout.yaml is not who sends a new one.
      sourceOf(url, entry.origin !== 'api' && url === entry.url);
      await checkModels(models);
      await halt(cameraId, enabled ? 'its settings changed' : 'stopped by request');
      const changed: Entry = { ...known(cameraId), url, models, asked: { ...entry.asked, ...options }, enabled };
      entries.set(cameraId, changed);
      if (working(changed)) run(cameraId, changed);
      await save();
      return status(known(cameraId));
    },
    list: () => [...entries.values()].map(status),
    get(cameraId) {
      const entry = entries.get(cameraId);
      return entry ? status(entry) : null;
    },
    latest: (cameraId) => entries.get(cameraId)?.last?.view().latest ?? null,
    async close() {
      if (schedules) clearInterval(schedules);
      const running = [...entries.keys()];
      await Promise.all(running.map((id) => halt(id, 'Lookout is stopping')));
    },
  };
}

