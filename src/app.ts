/** The wiring: starts every part in order, and stops them in the reverse order. */
import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createCameraTable } from './cameras/table.ts';
import { createStreamStore } from './capture/stream-store.ts';
import { createStreams, type Streams } from './capture/streams.ts';
import { ruleFault, streamFault } from './config/check.ts';
import { errorInfo, LookoutError } from './errors.ts';
import { openTakes } from './clips/takes.ts';
import { createBatches } from './events/batches.ts';
import { openChronicle } from './events/chronicle.ts';
import { createRulebook } from './events/rulebook.ts';
import { createFace } from './face.ts';
import { startFollowers, type Followed, type Followers } from './following/followers.ts';
import { provideAccess, type Access } from './http/access.ts';
import { startServer, type ClaimedPort, type HttpServer } from './http/server.ts';
import { createLanes } from './inference/lanes.ts';
import { createTally } from './inference/tally.ts';
import { systemClock } from './lib/clock.ts';
import { readIfPresent } from './lib/files.ts';
import type { Log } from './lib/log.ts';
import { createPacer } from './lib/pacer.ts';
import { packageRoot, version } from './lib/package.ts';
import { openLog } from './log/record-log.ts';
import { createModels, createSources, loadFollowers } from './parts.ts';
import { createPipeline } from './pipeline/pipeline.ts';
import { recover } from './pipeline/recover.ts';
import type { ReplayParts } from './pipeline/replay.ts';
import { createStages } from './pipeline/stages.ts';
import { createHostAddress } from './record/host.ts';
import { zonedTime } from './record/time.ts';
import { openBooks } from './store/books.ts';
import { openClips } from './store/clips.ts';
import { openDeadLetters } from './store/dead-letters.ts';
import { openEventPictures } from './store/event-pictures.ts';
import { createJanitor } from './store/janitor.ts';
import { openKeptEvents } from './store/kept-events.ts';
import { batchId } from './store/names.ts';
import { takeFolders } from './store/own-folders.ts';
import { createSpool } from './store/spool.ts';
import { createViews } from './store/views.ts';
import type { BatchRecord, Config, EventEntry, EventItem, Face, Item, StreamStatus } from './types.ts';
import { createPushCamera, OIL_SPILL } from './videostream/camera.ts';
import { rulesOf } from './words/event-rules.ts';
import { CAMERA_MODEL } from './words/push.ts';

export interface App {
  readonly face: Face;
  readonly streams: Streams;
  readonly replay: ReplayParts;
  /** Aborts when somebody else has taken one of its folders: nothing more may be written there. */
  readonly lost: AbortSignal;
  /** The web page and the API, on a port that was claimed before, or on one that is claimed now. */
  listen(port?: ClaimedPort): Promise<HttpServer & { readonly access: Access }>;
  /** Begins to deliver what is in the logs. */
  follow(): Promise<void>;
  /** Starts the streams that lookout.yaml and the last run name. */
  capture(): void;
  /** Told of each record once it is in the log. */
  onRecord(listener: (record: BatchRecord, cameraId: string) => void): void;
  /** Told each step of a model's set-up. */
  onSetUp(listener: (model: string, step: string) => void): void;
  /** Captures stop and flush, batches under way end, runners and the log close. Within grace_seconds. */
  close(): Promise<void>;
}

export interface AppOptions {
  /** What is replayed makes events; all else does. */
  readonly replayMakesEvents?: boolean;
  /** Stops the start; an app that has been made is closed. */
  readonly signal?: AbortSignal;
}

export async function createApp(config: Config, log: Log, { replayMakesEvents = false, signal }: AppOptions = {}): Promise<App> {
  /** What is to be ended, in the order in which it was begun. */
  const releasers: (() => unknown)[] = [];
  const stop = new AbortController();
  const lost = new AbortController();
  // Every batch under way listens to it: that is no leak.
  setMaxListeners(0, stop.signal);
  const starting = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
  async function release(): Promise<void> {
    for (const each of releasers.reverse()) {
      try {
        await each();
      } catch (error) {
        log.error('a part did not stop in order', { reason: errorInfo(error).message });
      }
    }
  }
  try {
    return await assemble();
  } catch (error) {
    stop.abort();
    await release();
    throw error;
  }

  async function assemble(): Promise<App> {
    const { expectOurs, release: giveBack } = await takeFolders(config, (error) => {
      lost.abort(error);
      stop.abort(error);
    }, starting);
    releasers.push(giveBack);

    const janitor = createJanitor({
      folders: [config.data_dir, config.frames_dir], files: [config.predictions], min_free_bytes: config.min_free_bytes, clock: systemClock, log: log.part('disk'),
    });
    const books = await openBooks(config.data_dir, expectOurs, log.part('books'));
    releasers.push(() => books.close());
    const spool = createSpool(config.frames_dir, expectOurs);
    const deadLetters = await openDeadLetters(config, spool, books, expectOurs, log.part('dead-letters'));
    janitor.join('recorded', deadLetters.recorded);
    janitor.join('unrecorded', deadLetters.unrecorded);
    const keptEvents = await openKeptEvents(config.data_dir);
    const clips = await openClips(config, expectOurs, keptEvents.has, log.part('clips'));
    janitor.join('clips', clips.others);
    janitor.join('kept_clips', clips.kept);
    const recordLog = await openLog({ config, log: log.part('records'), signal: starting });
    releasers.push(() => recordLog.close());
    const eventLog = await openLog<EventItem>({
      config: { ...config, predictions: join(config.data_dir, 'events.ndjson'), index: 'events.idx', format: 'ndjson' }, kind: 'events', log: log.part('events'), signal: starting,
    });
    releasers.push(() => eventLog.close());
    const eventPictures = await openEventPictures(config, spool, keptEvents.has);
    janitor.join('events', eventPictures.others);
    janitor.join('kept', eventPictures.kept);
    const rules = createRulebook(rulesOf(config.events), ruleFault, () => {
      events.setRules(rules.list());
      for (const { video } of new Set(sources.values())) video?.rulesChanged();
    });
    const sources = await createSources(config, log, () => rules.list());
    releasers.push(() => Promise.all([...new Set(sources.values())].map((source) => source.close())));

    const models = await createModels(config);
    for (const notice of models.catalog.notices()) log.info(notice);
    const tally = createTally(systemClock, log.part('model'));
    releasers.push(() => { tally.close(); });
    const views = await createViews(config.frames_dir, log);
    // Of a folder that was lost they are somebody else's by now.
    releasers.push(async () => { if (!lost.signal.aborted) await views.close(); });
    const watching: ((model: string, step: string) => void)[] = [];
    const lanes = createLanes({
      ...models, settings: config, view: (keys) => views.open(keys), tally, clock: systemClock, log: log.part('model'),
      settingUp: (model, step) => { for (const listener of watching) listener(model, step); },
    });
    releasers.push(() => lanes.close());

    const cameras = createCameraTable({ file: config.camera_data, log: log.part('cameras') });
    const host = createHostAddress({ setting: config.host_ip, log });
    /** What the push camera says of itself is about oil. */
    const sectionOf = (model: string, camera: string): string | null => (model === CAMERA_MODEL && camera === config.push_camera ? OIL_SPILL : lanes.sectionOf(model));
    const batches = createBatches(batchId);
    const takes = await openTakes({
      data_dir: config.data_dir, clips, rules: () => rules.list(), optionsOf: (id) => streams.get(id)?.options ?? { clips: false, interval_seconds: 0 }, record: async (id, file, wanted) => streams.video(id).record(id, file, wanted),
      pathOf: spool.path, room: janitor, clock: systemClock, log: log.part('clips'), signal: stop.signal,
    });
    releasers.push(() => takes.close());
    janitor.join('held', takes.held);
    const events = await openChronicle({
      rules: rules.list(), time_zone: config.time_zone, max_alert_age_seconds: config.max_alert_age_seconds, batchOf: (frame) => batches.of(frame),
      log: eventLog, file: join(config.data_dir, 'events.json'), expectOurs, keepPicture: (event, frame) => eventPictures.keep(event, frame), kept: keptEvents,
      filmed: (entry) => takes.told(entry), clipOf: (id) => takes.of(id),
      placeOf: async (id) => {
        const { latitude, longitude } = await cameras.lookup(id);
        return latitude === null || longitude === null ? null : { latitude, longitude };
      },
      // Whoever has a camera say what it sees is to hear of it.
      sectionOf: (model, camera) => sectionOf(model, camera) ?? (model === CAMERA_MODEL ? CAMERA_MODEL : null), clock: systemClock, words: log.part('events'),
    });
    releasers.push(() => events.close());
    const records = new Map<string, Pick<StreamStatus, 'records' | 'last_record_at'>>();
    const listeners: ((record: BatchRecord, cameraId: string) => void)[] = [];
    const pipeline = createPipeline({
      config, spool, books, deadLetters, recordLog, room: janitor, clock: systemClock, log: log.part('pipeline'), signal: stop.signal, lane: (model) => lanes.of(model),
      looked: (stream, frame, model, look) => {
        tally.looked(stream.camera_id, frame, model, look);
        if (replayMakesEvents || stream.from !== 'replayed') events.looked(stream, frame, model, look);
      },
      answered: async (batch, answers) => {
        tally.batch(answers);
        await events.settled(batch);
      },
      closed: (batch, from) => {
        if (from !== 'live') batches.closed(batch);
        if (from === 'recovered') events.left(batch);
      },
      over: (batch) => { events.over(batch); },
      makeRecord: await createStages({
        config, path: spool.path, camera: cameras.lookup, hostIp: host.current, janitor, log: log.part('pipeline'), signal: stop.signal,
        sectionOf,
      }),
      onRecorded: (batch, record) => {
        records.set(batch.camera_id, { records: (records.get(batch.camera_id)?.records ?? 0) + 1, last_record_at: new Date().toISOString() });
        for (const listener of listeners) listener(record, batch.camera_id);
      },
    });

    const defaultModels = config.default_models ?? (config.record_format === 'v3' ? ['animals', 'potholes', 'garbage'] : ['animals']);
    const streams = await createStreams({
      config: withPushCamera(config), sources, defaultModels,
      stopped: (id) => { events.stopped(id); },
      store: createStreamStore({ data_dir: config.data_dir, faultOf: streamFault, log: log.part('stream'), expectOurs }),
      knownModels: () => models.catalog.names(),
      stream: {
        spool, books, room: janitor, wanted: (model) => { lanes.of(model).warm(); }, clock: systemClock, pacer: createPacer(availableParallelism()), log: log.part('stream'),
        offer: (frame, of) => {
          batches.offered(frame, of.session);
          events.offered(of.camera_id);
          takes.offered(of.camera_id, frame, of.options);
          pipeline.offer(frame, of);
        },
        closed: (batch) => { batches.closed(batch); },
        submit: (batch) => pipeline.submit(batch),
      },
      facts: {
        books: (id) => books.of(id), queued: (id) => pipeline.waiting(id), modelState: (model) => lanes.of(model).status(),
        records: (id) => records.get(id) ?? { records: 0, last_record_at: null },
      },
    });

    const pushCamera = config.push_camera === null ? null : await createPushCamera({
      config, expectOurs, log: log.part('push-camera'), signal: stop.signal,
      push: (picture) => streams.push(config.push_camera ?? '', picture),
      localTime: (moment) => zonedTime(moment, config.time_zone).rfc3339,
    });
    if (pushCamera) releasers.push(() => pushCamera.close());

    janitor.join('frames', pipeline.expendable);
    const keeping = janitor.run(stop.signal);
    releasers.push(() => keeping);

    let work: Promise<void> | null = null;
    releasers.push(async () => {
      stop.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      // Where recovering came to no end, it waits for what that began.
      await (work ?? pipeline.run());
    });
    await recover(config.frames_dir, { books, spool, pipeline, log }, starting);
    work = pipeline.run();

    /** Lets batches under way, and those that wait for a model which is up, end while the grace period lasts. */
    async function drain(): Promise<void> {
      const end = systemClock.monotonic() + config.grace_seconds * 1000;
      const movable = (): boolean => pipeline.busy > 0 || (pipeline.waiting() > 0 && lanes.anyReady);
      while (movable() && systemClock.monotonic() < end) await systemClock.sleep(50, new AbortController().signal);
    }

    let followers: Followers | null = null;
    let server: HttpServer | null = null;
    let phase: 'starting' | 'running' | 'stopping' = 'starting';
    const face = createFace({
      config, defaultModels, streams, lanes, books, pipeline, recordLog, cameras, clips, events, clipOf: (id) => takes.of(id), eventPictures, rules, room: janitor, pushCamera,
      followersNow: () => followers, phase: () => phase, signal: stop.signal,
    });

    return {
      face, streams, lost: lost.signal,
      replay: { spool, books, deadLetters, pipeline },
      async listen(port) {
        const access = await provideAccess(config, log.part('http'));
        if (config.push_camera !== null && (access.token === null || config.push_camera_viewers === 'open')) {
          log.warn(`everybody who reaches this server may watch camera ${config.push_camera}, and so may any page in a browser that does; a token, and push_camera_viewers: token, keep them out`);
        }
        server = await startServer({ face, config: { ...config, token: access.token }, staticDir: join(packageRoot, 'static'), log: log.part('http'), version }, port);
        return { ...server, access };
      },
      async follow() {
        followers = await startFollowers({
          config, members: await loadFollowers(), logs: new Map<Item['log'], Followed>([['records', recordLog], ['events', eventLog]]), version, lookout: face, clock: systemClock, log: log.part('followers'),
          picture: (item) => (item.log === 'records' ? face.recordPicture(item.id, null) : readIfPresent(eventPictures.file((item.value as unknown as EventItem).id))),
          clip: ({ value }) => (value['state'] === 'ended' ? clips.file((value as unknown as EventEntry).clip?.id ?? '') : null),
        });
        releasers.push(() => followers?.close());
      },
      capture() {
        streams.begin();
        events.begun((id) => streams.get(id)?.enabled ?? false);
        phase = 'running';
      },
      onRecord(listener) {
        listeners.push(listener);
      },
      onSetUp(listener) {
        watching.push(listener);
      },
      async close() {
        phase = 'stopping';
        await streams.close();
        await drain();
        await server?.close();
        await release();
      },
    };
  }
}

/** Its stream need not be named: then no model looks at what it brings. */
function withPushCamera(config: Config): Config {
  const { push_camera: camera_id, streams } = config;
  if (camera_id === null || streams.some((one) => String(one.camera_id) === camera_id)) return config;
  return { ...config, streams: [...streams, { camera_id, url: 'push:', models: [] }] };
}
