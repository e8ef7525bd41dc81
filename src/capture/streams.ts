/** All streams: from lookout.yaml and from the API; started, stopped, changed, remembered, listed. */
import { isDeepStrictEqual } from 'node:util';
import { errorInfo, LookoutError } from '../errors.ts';
import { worksAt } from '../lib/schedule.ts';
import { shownAddress } from '../lib/secrets.ts';
import type { Balance, LatestPicture, ModelState, Probe, ProbeRequest, PushedPicture, PushOutcome, PushSource, StartRequest, StreamChange, StreamStatus, VideoSource } from '../types.ts';
import { CAMERA_MODEL } from '../words/push.ts';
import { firstOf } from './first.ts';
import { createDemand } from './on-demand.ts';
import { probeStream } from './probe.ts';
import { startStream, type Stream, type StreamParts } from './stream.ts';
import { checkModels, checkOptions, remembered, sourceOf, specOf, type StreamEntry, type StreamEntryParts } from './stream-entry.ts';
import type { StoredStream, StreamStore } from './stream-store.ts';

export interface StreamsParts extends StreamEntryParts {
  readonly stream: Omit<StreamParts, 'source' | 'demand'>;
  readonly store: StreamStore;
  /** The camera is captured no more, until somebody or its hours of work start it again; not told where its settings change or Lookout stops. */
  readonly stopped: (cameraId: string) => void;
  readonly facts: {
    books(cameraId: string): Balance;
    queued(cameraId: string): number;
    modelState(model: string): { readonly state: ModelState; readonly reason: string };
    records(cameraId: string): Pick<StreamStatus, 'records' | 'last_record_at'>;
  };
}

export interface Streams {
  /** Starts what is to run. */
  begin(): void;
  start(request: StartRequest, origin?: StreamEntry['origin']): Promise<'started' | 'already_running'>;
  stop(cameraId: string | number): Promise<'stopped' | 'not_running'>;
  change(cameraId: string, change: StreamChange): Promise<StreamStatus>;
  /** Stops it and forgets it, its address too; what it captured goes on to be recorded. */
  remove(cameraId: string): Promise<void>;
  list(): readonly StreamStatus[];
  get(cameraId: string): StreamStatus | null;
  latest(cameraId: string): LatestPicture | null;
  /** Likewise, for somebody who watches the camera until the signal aborts: see Face. */
  picture(cameraId: string, signal: AbortSignal): Promise<LatestPicture | null>;
  /** Likewise; throws what `video` does. */
  live: VideoSource['live'];
  /** Looks at a camera as if it were started. Throws what `start` and sources throw. */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<Probe>;
  /** Throws what `push` throws of a stream that takes no picture. */
  expectTakesPush(cameraId: string): void;
  /** To a stream that runs. Throws `not_found`, `not_running`, and what its source throws. */
  push(cameraId: string, picture: PushedPicture): Promise<PushOutcome>;
  /** Of a stream that runs. Throws `not_found`, `no_live_video`. */
  video(cameraId: string): VideoSource;
  /** Stops all captures; what was running comes back at the next start. */
  close(): Promise<void>;
}

const OUTSIDE = 'outside its hours of work';

/** What lookout.yaml and the last run name is known when it returns, and starts with `begin`. */
export async function createStreams(parts: StreamsParts): Promise<Streams> {
  const { config } = parts;
  const entries = await remembered(parts, await parts.store.load());
  const { clock } = parts.stream;
  const demand = createDemand(clock);
  /** What is being done for each camera. */
  const underWay = new Map<string, Promise<unknown>>();
  const closing = new AbortController();
  const knownSince = new Date().toISOString();
  let schedules: NodeJS.Timeout | null = null;

  /** What is asked of one camera is done one after the other: nothing starts it while something else has half stopped it. */
  function inTurn<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const mine = Promise.resolve(underWay.get(id)).then(() => {
      closing.signal.throwIfAborted();
      return work();
    });
    const settled: Promise<void> = mine.then(() => undefined, () => undefined).then(() => {
      if (underWay.get(id) === settled) underWay.delete(id);
    });
    underWay.set(id, settled);
    return mine;
  }

  function run(id: string, entry: StreamEntry): void {
    closing.signal.throwIfAborted();
    const source = sourceOf(entry.url, entry.trusted, parts);
    const stream = startStream(specOf(entry, config), { ...parts.stream, source, demand });
    entries.set(id, { ...entry, running: stream, last: stream, reconnects: reconnectsOf(entry) });
    void stream.ended.then(() => {
      const now = entries.get(id);
      if (now?.running !== stream) return;
      // Its duration is over: it is not to come back, unless it failed.
      entries.set(id, { ...now, running: null, enabled: stream.view().state === 'failed' });
      parts.stopped(id);
      void save();
    });
  }

  async function halt(id: string, reason: string): Promise<void> {
    const entry = entries.get(id);
    if (!entry?.running) return;
    entries.set(id, { ...entry, running: null });
    await entry.running.stop(reason);
  }

  /** A stream that runs is not undone for it: what could not be stored is, with the next change. */
  async function save(): Promise<void> {
    const stored = [...entries.values()].filter(({ origin }) => origin === 'api').map(
      ({ camera_id, url, models, asked, enabled }): StoredStream => ({ camera_id, url, models, options: asked, enabled }));
    await parts.store.save(stored).catch((error: unknown) => {
      parts.stream.log.error('what streams there are could not be stored: after a restart they are as they were before', { reason: errorInfo(error).message });
    });
  }

  function working(entry: StreamEntry): boolean {
    return entry.enabled && (entry.schedule === null || worksAt(entry.schedule, Date.now(), config.time_zone === 'system' ? undefined : config.time_zone));
  }

  /** Starts and stops what the hours of work say. */
  function followSchedules(): void {
    for (const [id, { schedule, running }] of entries) {
      if (schedule === null || working(known(id)) === Boolean(running)) continue;
      inTurn(id, async () => {
        const entry = known(id);
        if (!working(entry)) {
          await halt(id, OUTSIDE);
          parts.stopped(id);
        } else if (!entry.running) run(id, entry);
      }).catch((error: unknown) => {
        if (!closing.signal.aborted) parts.stream.log.error(`${id} does not follow its hours of work`, { reason: errorInfo(error).message });
      });
    }
  }

  /** Why a stream that has not failed does not run. */
  function whyNot(entry: StreamEntry): string {
    const stopped = entry.last?.view().reason;
    if (!entry.enabled) return stopped === undefined || stopped === OUTSIDE ? 'not started' : stopped;
    if (!working(entry)) return OUTSIDE;
    try {
      sourceOf(entry.url, entry.trusted, parts);
    } catch (error) {
      return errorInfo(error).message;
    }
    return closing.signal.aborted ? 'Lookout is stopping' : 'not started yet';
  }

  function status(entry: StreamEntry): StreamStatus {
    const id = String(entry.camera_id);
    const spec = specOf(entry, config);
    const view = entry.last?.view();
    const base = view ?? {
      session: null, reason: '', since: knownSince,
      capture_mode: null, camera_clock_offset_seconds: null, last_frame_at: null, open_batch: 0, last_error: null,
    };
    // Pictures come, but no model can look at them: that is what its user must hear.
    const models = spec.models.filter((model) => model !== CAMERA_MODEL).map((model) => parts.facts.modelState(model));
    const stuck = (['provisioning', 'failed'] as const).find((state) => view?.state === 'running' && models.length > 0 && models.every((model) => model.state === state));
    const isIdle = entry.running === null && (view === undefined || view.state === 'stopped');
    const age = base.last_frame_at === null ? null : Math.round((Date.now() - Date.parse(base.last_frame_at)) / 100) / 10;
    return {
      camera_id: entry.camera_id, session: base.session, url: shownAddress(entry.url), models: entry.models, options: spec.options,
      origin: entry.origin, enabled: entry.enabled, schedule: entry.schedule, capturing: entry.running !== null && view?.state !== 'asleep',
      state: stuck ?? view?.state ?? 'stopped',
      reason: isIdle ? whyNot(entry) : (stuck && models[0]?.reason) ?? base.reason,
      since: base.since, reconnects: reconnectsOf(entry), capture_mode: base.capture_mode, camera_clock_offset_seconds: base.camera_clock_offset_seconds,
      last_frame_at: base.last_frame_at, last_frame_age_seconds: age, open_batch: base.open_batch,
      queued: parts.facts.queued(id), books: parts.facts.books(id), ...parts.facts.records(id), last_error: base.last_error,
    };
  }

  function known(cameraId: string): StreamEntry {
    const entry = entries.get(cameraId);
    if (!entry) throw new LookoutError('not_found', `no stream of camera '${cameraId}'`);
    return entry;
  }

  async function start(id: string, request: StartRequest, origin: StreamEntry['origin']): Promise<'started' | 'already_running'> {
    const before = entries.get(id);
    if (before?.running) return 'already_running';
    if (!before && entries.size >= config.max_streams) throw new LookoutError('too_many_streams', `${entries.size} streams are known, and max_streams is ${config.max_streams}`);
    const models = request.models ?? parts.defaultModels;
    const url = addressOf(request.url, before);
    const trusted = origin !== 'api' || (before?.trusted === true && url === before.url);
    sourceOf(url, trusted, parts);
    checkOptions(request.options ?? {}, url);
    await checkModels(models, url, request.options ?? {}, parts);
    // Begun meanwhile with what was remembered.
    if (entries.get(id)?.running) return 'already_running';
    const entry: StreamEntry = {
      camera_id: request.camera_id, url, trusted, models, asked: request.options ?? {}, enabled: true, running: null, last: before?.last ?? null, reconnects: before?.reconnects ?? 0,
      origin: before?.origin === 'yaml' ? 'yaml' : origin, schedule: before?.schedule ?? null,
    };
    if (!working(entry)) {
      throw new LookoutError('bad_request', `camera '${id}' is outside its hours of work (${entry.schedule ?? ''}); PATCH /api/streams/{camera_id} {"enabled": true} lets it begin with them`);
    }
    run(id, entry);
    await save();
    return 'started';
  }

  async function stop(id: string): Promise<'stopped' | 'not_running'> {
    const entry = entries.get(id);
    if (!entry?.running && !entry?.enabled) return 'not_running';
    entries.set(id, { ...entry, enabled: false });
    await halt(id, 'stopped by request');
    parts.stopped(id);
    await save();
    return 'stopped';
  }

  async function change(id: string, { url, models, options, enabled }: StreamChange): Promise<StreamStatus> {
    const entry = known(id);
    const address = url === undefined ? entry.url : addressOf(url, entry);
    const changed: StreamEntry = {
      // Who wrote the old address into lookout.yaml is not who sends a new one.
      ...entry, url: address, trusted: entry.trusted && address === entry.url, models: [...new Set(models ?? entry.models)], asked: { ...entry.asked, ...options }, enabled: enabled ?? entry.enabled, running: null,
    };
    sourceOf(changed.url, changed.trusted, parts);
    checkOptions(changed.asked, changed.url);
    await checkModels(changed.models, changed.url, changed.asked, parts);
    if (entry.running && changed.enabled && isDeepStrictEqual(specOf(changed, config), entry.running.spec)) {
      // Nothing that would show in its pictures: they go on.
      entries.set(id, { ...changed, running: entry.running });
      await save();
      return status(known(id));
    }
    await halt(id, changed.enabled ? 'its settings changed' : 'stopped by request');
    entries.set(id, changed);
    if (working(changed)) run(id, changed);
    else parts.stopped(id);
    await save();
    return status(known(id));
  }

  async function remove(id: string): Promise<void> {
    if (known(id).origin === 'yaml') throw new LookoutError('bad_request', `the stream of camera '${id}' stands in lookout.yaml; remove it from there`);
    await halt(id, 'removed by request');
    entries.delete(id);
    await save();
  }

  const runs = (cameraId: string): Stream | null => entries.get(cameraId)?.running ?? null;
  /** Also of a stream that was stopped. */
  const latest = (cameraId: string): LatestPicture | null => entries.get(cameraId)?.last?.view().latest ?? null;

  function videoOf(cameraId: string): VideoSource {
    const { running, url, trusted } = known(cameraId);
    if (!running) throw new LookoutError('not_found', `camera '${cameraId}' is not being captured; start its stream`);
    const { video } = sourceOf(url, trusted, parts);
    if (!video) throw new LookoutError('no_live_video', `camera '${cameraId}' is read in a way that gives pictures and no video that could be copied; stream.mjpeg shows them`);
    return video;
  }

  function takesPush(cameraId: string): PushSource {
    const entry = entries.get(cameraId);
    if (!entry) throw new LookoutError('not_found', `camera '${cameraId}' has no stream; start one with the address push:`);
    if (!entry.running) throw new LookoutError('not_running', `the stream of camera '${cameraId}' does not run: ${status(entry).reason}`);
    const { push } = sourceOf(entry.url, entry.trusted, parts);
    if (!push) throw new LookoutError('not_running', `camera '${cameraId}' is asked for its pictures; a stream of the address push: takes those that it brings`);
    return push;
  }

  return {
    begin() {
      for (const [id, entry] of entries) {
        if (!working(entry) || entry.running) continue;
        try {
          run(id, entry);
        } catch (error) {
          // Its scheme was allowed when it was stored.
          parts.stream.log.error(`${id} is not started`, { reason: errorInfo(error).message });
        }
      }
      schedules = setInterval(followSchedules, 10_000);
      schedules.unref();
    },
    start: (request, origin = 'api') => {
      const id = String(request.camera_id);
      return inTurn(id, () => start(id, request, origin));
    },
    stop: (cameraId) => {
      const id = String(cameraId);
      return inTurn(id, () => stop(id));
    },
    change: (id, what) => inTurn(id, () => change(id, what)),
    remove: (id) => inTurn(id, () => remove(id)),
    list: () => [...entries.values()].map(status),
    get(cameraId) {
      const entry = entries.get(cameraId);
      return entry ? status(entry) : null;
    },
    probe: async (request, signal) => probeStream(request, false, parts, signal),
    expectTakesPush(cameraId) {
      takesPush(cameraId);
    },
    push: async (cameraId, picture) => takesPush(cameraId).take(cameraId, picture),
    video: videoOf,
    latest,
    async picture(cameraId, signal) {
      const running = runs(cameraId);
      if (running) demand.ask(cameraId, signal);
      if (running?.spec.options.on_demand !== true) return latest(cameraId);
      return firstOf(() => runs(cameraId), (stream) => {
        const view = stream.view();
        return view.state === 'asleep' || view.last_frame_at === null ? null : view.latest;
      }, clock, signal);
    },
    async live(cameraId, signal) {
      const video = videoOf(cameraId);
      demand.ask(cameraId, signal);
      if (runs(cameraId)?.spec.options.on_demand !== true) return video.live(cameraId, signal);
      return firstOf(() => runs(cameraId), () => video.live(cameraId, signal).catch((error: unknown) => {
        // It has to be connected first.
        if (errorInfo(error).code === 'stream_ended') return null;
        throw error;
      }), clock, signal);
    },
    async close() {
      closing.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      if (schedules) clearInterval(schedules);
      await Promise.all([...entries.keys()].map((id) => halt(id, 'Lookout is stopping')));
      await Promise.all(underWay.values());
    },
  };
}

/** Since Lookout started, however often the stream was started again. */
function reconnectsOf({ reconnects, last }: StreamEntry): number {
  return reconnects + (last?.view().reconnects ?? 0);
}

/** Who sends back an address as it was shown means the one with the login. */
function addressOf(sent: string, known: StreamEntry | undefined): string {
  return known && sent === shownAddress(known.url) ? known.url : sent;
}
