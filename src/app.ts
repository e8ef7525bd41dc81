/** The wiring: the one file that knows every part. Starts them in order and stops them in the reverse order. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorInfo, LookoutError } from './errors.ts';
import { startServer, type HttpServer } from './http/server.ts';
import { systemClock } from './lib/clock.ts';
import { loadFamily, type Member } from './lib/family.ts';
import { sweepTemporaries } from './lib/files.ts';
import { packageRoot } from './lib/leash.ts';
import { lockFolderOrFile } from './lib/lock.ts';
import type { Log } from './lib/log.ts';
import type { CatalogEntry } from './models/catalog.ts';
import { codeHash } from './models/fingerprint.ts';
import { missingWeights } from './models/weights.ts';
import { createFamily, createModels } from './parts.ts';
import { openBooks } from './pipeline/books.ts';
import { createCameraTable } from './pipeline/cameras.ts';
import { openDeadLetters } from './pipeline/dead-letters.ts';
import { openEvidence } from './pipeline/evidence.ts';
import { createHostAddress } from './pipeline/host.ts';
import { createLane, type Lane } from './pipeline/lane.ts';
import { createPipeline } from './pipeline/pipeline.ts';
import { makeRecord } from './pipeline/record.ts';
import { RECORD_SCHEMAS } from './pipeline/record-schema.ts';
import { findLeftovers } from './pipeline/recover.ts';
import type { ReplayParts } from './pipeline/replay.ts';
import { createSpool } from './pipeline/spool.ts';
import { createStreamStore } from './pipeline/stream-store.ts';
import { createStreams, type Streams } from './pipeline/streams.ts';
import { readRecords } from './records/read.ts';
import type { BatchRecord, Config, Face, ModelStatus, Queue, Sink, Source } from './types.ts';

export interface App {
  readonly face: Face;
  readonly streams: Streams;
  readonly replay: ReplayParts;
  /** The web page and the API. */
  listen(): Promise<HttpServer>;
  /** Starts the streams that lookout.yaml and the last run name. */
  capture(): Promise<void>;
  /** Told of each record once it is with every sink. */
  onRecord(listener: (record: BatchRecord) => void): void;
  /** Captures stop and flush, batches under way end, runners and sinks close. Within grace_seconds. */
  close(): Promise<void>;
}

type SourceMember = Member<{ config: Config }, Source> & { readonly schemes: readonly string[] };

export async function createApp(config: Config, log: Log): Promise<App> {
  const releasers: (() => Promise<unknown>)[] = [];
  const stop = new AbortController();
  const release = async (): Promise<void> => {
    for (const each of releasers.reverse()) {
      await each().catch((error: unknown) => { log.error('a part did not stop in order', { reason: errorInfo(error).message }); });
    }
  };
  try {
    return await assemble();
  } catch (error) {
    stop.abort();
    await release();
    throw error;
  }

  async function assemble(): Promise<App> {
    for (const folder of new Set([config.data_dir, config.frames_dir])) {
      await mkdir(folder, { recursive: true });
      const lock = await lockFolderOrFile(folder, {
        waitMs: 1000, onCompromised: (reason) => { log.error(`the lock on ${folder} was lost`, { reason: reason.message }); },
      }, stop.signal);
      releasers.push(() => lock.release());
    }
    await sweepTemporaries(config.data_dir);

    const books = await openBooks(config.data_dir);
    releasers.push(() => books.close());
    const spool = createSpool(config.frames_dir);
    const deadLetters = await openDeadLetters(config, spool, books);
    const evidence = await openEvidence(config, spool);
    const sinks = await createFamily<Sink>('sinks', { config, log: log.part('sink') });
    releasers.push(() => Promise.all([...sinks.values()].map((sink) => sink.close())));
    const queues = await createFamily<Queue>('queues', { config });
    const queue = only(queues, 'memory');
    releasers.push(() => queue.close());
    const sources = await sourcesByScheme(config);
    releasers.push(() => Promise.all([...new Set(sources.values())].map((source) => source.close())));

    const models = await createModels(config, log);
    const { catalog } = models;
    for (const notice of catalog.notices()) log.info(notice);
    const lanes = new Map<string, Lane>();
    const sections = new Map<string, string | null>();
    const notices = new Map<string, string | null>();
    releasers.push(() => Promise.all([...lanes.values()].map((lane) => lane.close())));

    function laneOf(name: string): Lane {
      const known = lanes.get(name);
      if (known) return known;
      const lane = createLane(name, {
        read: async () => {
          const model = await catalog.get(name);
          sections.set(name, model.section);
          if (model.notice !== null && model.notice !== notices.get(name)) log.info(`${name}: ${model.notice}`);
          notices.set(name, model.notice);
          return model;
        },
        prepare: (model, progress, signal) => models.prepare(model, (line) => {
          log.debug(`${name}: ${line}`);
          progress(line);
        }, signal),
        codeHash, settings: config, log: log.part('model'),
      });
      lanes.set(name, lane);
      return lane;
    }

    const cameras = createCameraTable({ file: config.camera_data, log: log.part('cameras') });
    const host = createHostAddress({ setting: config.host_ip, log });
    const lastRecordAt = new Map<string, string>();
    const listeners: ((record: BatchRecord) => void)[] = [];
    const pipeline = createPipeline({
      config, queue, spool, books, deadLetters, evidence, sinks, log: log.part('pipeline'), signal: stop.signal, lane: laneOf,
      makeRecord: (batch, answers) => makeRecord(batch, answers, { config, spool, cameras, host, sectionOf: (model) => sections.get(model) ?? null }),
      onRecorded: (batch, record) => {
        lastRecordAt.set(batch.camera_id, new Date().toISOString());
        for (const listener of listeners) listener(record);
      },
    });

    const defaultModels = config.default_models ?? (config.record_format === 'v3' ? ['animals', 'potholes', 'garbage'] : ['animals']);
    const streams = createStreams({
      config, sources, defaultModels,
      store: createStreamStore(config.data_dir),
      knownModels: async () => (await catalog.list()).map(({ name }) => name),
      wanted: (model) => { laneOf(model).warm(); },
      stream: {
        spool, books, clock: systemClock, log: log.part('stream'),
        submit: (batch) => pipeline.submit(batch),
        sessionStarted: (session) => { pipeline.liveSessions.add(session); },
        sessionEnded: (session) => pipeline.closeSession(session),
      },
      facts: {
        books: (id) => books.of(id), queued: (id) => queue.depth(id), modelState: (model) => laneOf(model).status(),
        lastRecordAt: (id) => lastRecordAt.get(id) ?? null,
      },
    });

    await takeUpLeftovers();
    const work = pipeline.run();
    releasers.push(async () => {
      stop.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      await work;
    });

    /** What an earlier run left in the spool goes on from where it was. */
    async function takeUpLeftovers(): Promise<void> {
      const left = await findLeftovers(config.frames_dir);
      if (left.foreign.length > 0) log.info(`${left.foreign.length} entries of ${config.frames_dir} are not Lookout's and are left alone`);
      for (const { camera_id, key } of left.damaged) {
        if (!books.settled(key)) {
          books.captured(camera_id);
          await books.settle({ camera_id, batch: key, outcome: 'dropped', reason: 'damaged', frames: 1, files: [key] });
        }
        await spool.remove(key);
      }
      for (const batch of left.batches) await pipeline.resume(batch);
      for (const session of left.sessions) await spool.close(session);
      if (left.batches.length > 0) log.info(`took up ${left.batches.length} batches of an earlier run`);
    }

    /** Lets batches under way and in the queue end while the grace period lasts. */
    async function drain(): Promise<void> {
      const end = Date.now() + config.grace_seconds * 1000;
      const movable = (): boolean => pipeline.busy > 0 || (queue.depth() > 0 && [...lanes.values()].some((lane) => lane.ready));
      while (movable() && Date.now() < end) await systemClock.sleep(50, new AbortController().signal);
    }

    let server: HttpServer | null = null;
    const { version } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
    const face: Face = {
      recordSchema: RECORD_SCHEMAS[config.record_format],
      defaults: { models: defaultModels, record_format: config.record_format },
      start: (request) => streams.start(request),
      stop: (id) => streams.stop(id),
      change: (id, change) => streams.change(id, change),
      streams: () => streams.list(),
      stream: (id) => streams.get(id),
      models: async () => Promise.all((await catalog.list()).map((entry) => modelStatus(entry, lanes))),
      books: () => books.total(),
      latest: (id) => streams.latest(id),
      cameras: () => cameras.rows(),
      addCamera: (row) => cameras.add(row, stop.signal),
      records: (query) => readRecords(config, query),
      notReady: () => (stop.signal.aborted ? ['Lookout is stopping'] : []),
    };

    return {
      face, streams,
      replay: {
        spool, books, deadLetters, pipeline,
        recorded: async (id) => (await Promise.all([...sinks.values()].map((sink) => sink.has(id)))).every(Boolean),
      },
      async listen() {
        server = await startServer({ face, config, staticDir: join(packageRoot, 'static'), log: log.part('http'), version });
        return server;
      },
      capture: () => streams.restore(),
      onRecord(listener) {
        listeners.push(listener);
      },
      async close() {
        await streams.close();
        await drain();
        await server?.close();
        await release();
      },
    };
  }
}

async function modelStatus(entry: CatalogEntry, lanes: ReadonlyMap<string, Lane>): Promise<ModelStatus> {
  const { name } = entry;
  const idle = { state: 'idle', reason: 'not wanted yet', progress: null, detector: null, restarts: 0, batches: 0 } as const;
  const status = lanes.get(name)?.status() ?? idle;
  if ('error' in entry) {
    return { name, version: '', runtime: '', section: null, origin: 'user', missing: null, ...status, state: 'failed', reason: entry.error.message };
  }
  const { version, runtime, section, origin } = entry.model;
  return { name, version, runtime, section, origin, missing: await missingWeights(entry.model), ...status };
}

async function sourcesByScheme(config: Config): Promise<ReadonlyMap<string, Source>> {
  const members = await loadFamily<SourceMember>(new URL('./sources/', import.meta.url));
  return new Map([...members.values()].flatMap((member) => {
    const source = member.create({ config });
    return member.schemes.map((scheme) => [scheme, source] as const);
  }));
}

function only<Part>(parts: ReadonlyMap<string, Part>, name: string): Part {
  const part = parts.get(name);
  if (!part) throw new LookoutError('config_invalid', `there is no '${name}'; known: ${[...parts.keys()].join(', ')}`);
  return part;
}
