/** All streams: from lookout.yaml and from the API; started, stopped, changed, remembered, listed. */
import { isDeepStrictEqual } from 'node:util';
import { errorInfo, LookoutError } from '../errors.ts';
import { createHours } from '../lib/schedule.ts';
import { shownAddress } from '../lib/secrets.ts';
import type { Probe, ProbeRequest, StartRequest, StreamChange, StreamStatus } from '../types.ts';
import { createDemand } from './on-demand.ts';
import { probeStream } from './probe.ts';
import { startStream, type StreamParts } from './stream.ts';
import { checkModels, checkOptions, remembered, sourceOf, specOf, type StreamEntry } from './stream-entry.ts';
import { createStatus, OUTSIDE, reconnectsOf, type StatusParts } from './stream-status.ts';
import type { StoredStream, StreamStore } from './stream-store.ts';
import { createTraffic, type Traffic } from './traffic.ts';

export interface StreamsParts extends StatusParts {
  readonly stream: Omit<StreamParts, 'source' | 'demand'>;
  readonly store: StreamStore;
  /** The camera is captured no more, until somebody or its hours of work start it again; not told where its settings change or Lookout stops. */
  readonly stopped: (cameraId: string) => void;
}

export interface Streams extends Traffic {
  /** Starts what is to run. */
  begin(): void;
  start(request: StartRequest, origin?: StreamEntry['origin']): Promise<'started' | 'already_running'>;
  stop(cameraId: string | number): Promise<'stopped' | 'not_running'>;
  change(cameraId: string, change: StreamChange): Promise<StreamStatus>;
  /** Stops it and forgets it, its address too; what it captured goes on to be recorded. */
  remove(cameraId: string): Promise<void>;
  list(): readonly StreamStatus[];
  get(cameraId: string): StreamStatus | null;
  /** Looks at a camera as if it were started. Throws what `start` and sources throw. */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<Probe>;
  /** Stops all captures; what was running comes back at the next start. */
  close(): Promise<void>;
}

/** What lookout.yaml and the last run name is known when it returns, and starts with `begin`. */
export async function createStreams(parts: StreamsParts): Promise<Streams> {
  const { config } = parts;
  const entries = await remembered(parts, await parts.store.load());
  const demand = createDemand(parts.stream.clock);
  /** What is being done for each camera. */
  const underWay = new Map<string, Promise<unknown>>();
  const closing = new AbortController();
  let schedules: NodeJS.Timeout | null = null;
  const works = createHours(config.time_zone);
  const working = ({ enabled, schedule }: StreamEntry): boolean => enabled && (schedule === null || works(schedule, Date.now()));
  const status = createStatus(parts, working, closing.signal);

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
    const { clock } = parts.stream;
    const at = entry.begun?.at ?? new Date(clock.now()).toISOString();
    const ms = entry.begun?.ms ?? clock.monotonic() - Math.max(0, clock.now() - Date.parse(at));
    const stream = startStream(specOf(entry, config), { ...parts.stream, source, demand }, ms);
    entries.set(id, { ...entry, begun: { at, ms }, running: stream, last: stream, reconnects: reconnectsOf(entry) });
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
      ({ camera_id, url, models, asked, enabled, begun }): StoredStream => ({
        camera_id, url, models, options: asked, ...(typeof asked.duration_seconds === 'number' && begun && { started_at: begun.at }), enabled,
      }));
    await parts.store.save(stored).catch((error: unknown) => {
      parts.stream.log.error('what streams there are could not be stored: after a restart they are as they were before', { reason: errorInfo(error).message });
    });
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
        } else if (!entry.running) run(id, { ...entry, begun: null });
      }).catch((error: unknown) => {
        if (!closing.signal.aborted) parts.stream.log.error(`${id} does not follow its hours of work`, { reason: errorInfo(error).message });
      });
    }
  }

  function known(cameraId: string): StreamEntry {
    const entry = entries.get(cameraId);
    if (!entry) throw new LookoutError('not_found', `no stream of camera '${cameraId}'`);
    return entry;
  }

  function expectRoomFor(id: string): void {
    if (!entries.has(id) && entries.size >= config.max_streams) throw new LookoutError('too_many_streams', `${entries.size} streams are known, and max_streams is ${config.max_streams}`);
  }

  async function start(id: string, request: StartRequest, origin: StreamEntry['origin']): Promise<'started' | 'already_running'> {
    const before = entries.get(id);
    if (before?.running) return 'already_running';
    expectRoomFor(id);
    const models = request.models ?? parts.defaultModels;
    const url = addressOf(request.url, before);
    const trusted = origin !== 'api' || (before?.trusted === true && url === before.url);
    sourceOf(url, trusted, parts);
    checkOptions(request.options ?? {}, url);
    checkModels(models, url, request.options ?? {}, await parts.knownModels());
    // Begun meanwhile with what was remembered, or others have taken its place.
    if (entries.get(id)?.running) return 'already_running';
    expectRoomFor(id);
    const entry: StreamEntry = {
      camera_id: request.camera_id, url, trusted, models, asked: request.options ?? {}, enabled: true, begun: null, running: null, last: before?.last ?? null, reconnects: before?.reconnects ?? 0,
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
    const before = known(id);
    const address = url === undefined ? before.url : addressOf(url, before);
    // Who wrote the old address into lookout.yaml is not who sends a new one.
    const wanted = {
      url: address, trusted: before.trusted && address === before.url, models: [...new Set(models ?? before.models)], asked: { ...before.asked, ...options },
    };
    sourceOf(wanted.url, wanted.trusted, parts);
    checkOptions(wanted.asked, wanted.url);
    checkModels(wanted.models, wanted.url, wanted.asked, await parts.knownModels());
    // Its time may have been over meanwhile.
    const entry = known(id);
    // Another duration counts from now, and so does that of a stream that was stopped.
    const isAnew = (wanted.asked.duration_seconds ?? null) !== (entry.asked.duration_seconds ?? null) || (!entry.enabled && enabled === true);
    const changed: StreamEntry = { ...entry, ...wanted, enabled: enabled ?? entry.enabled, begun: isAnew ? null : entry.begun, running: null };
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
    parts.stopped(id);
    entries.delete(id);
    await save();
  }

  return {
    begin() {
      const isUndated = [...entries.values()].some(({ origin, asked, begun }) => origin === 'api' && typeof asked.duration_seconds === 'number' && !begun);
      for (const [id, entry] of entries) {
        if (!working(entry) || entry.running) continue;
        try {
          run(id, entry);
        } catch (error) {
          // Its scheme was allowed when it was stored.
          parts.stream.log.error(`${id} is not started`, { reason: errorInfo(error).message });
        }
      }
      // Earlier versions did not say since when those with a duration run.
      if (isUndated) void save();
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
    ...createTraffic(entries, { ...parts, demand, room: parts.stream.room, clock: parts.stream.clock, status }),
    async close() {
      closing.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      if (schedules) clearInterval(schedules);
      await Promise.all([...entries.keys()].map((id) => halt(id, 'Lookout is stopping')));
      await Promise.all(underWay.values());
    },
  };
}

/** Who sends back an address as it was shown means the one with the login. */
function addressOf(sent: string, known: StreamEntry | undefined): string {
  return known && sent === shownAddress(known.url) ? known.url : sent;
}
