/**
 * A whole site under load on a clock of its own: streams, batches, lanes with their doors and keepers, the pipeline and
 * its books are the real ones; cameras, models, spool, journal and log are in memory. Hours pass in seconds.
 */
import { createLane } from '../../src/inference/lane.ts';
import { createTally } from '../../src/inference/tally.ts';
import { NOTHING } from '../../src/lib/amount.ts';
import { silentLog } from '../../src/lib/log.ts';
import { LookoutError } from '../../src/errors.ts';
import { openBooks, type Books } from '../../src/store/books.ts';
import type { DeadLetter, DeadLetters } from '../../src/store/dead-letters.ts';
import type { Expendable } from '../../src/store/janitor.ts';
import { createPipeline, type Pipeline } from '../../src/pipeline/pipeline.ts';
import { createDemand } from '../../src/capture/on-demand.ts';
import { startStream, type Stream } from '../../src/capture/stream.ts';
import { createStages } from '../../src/pipeline/stages.ts';
import type { BatchRecord, CapturedFrame, Config, Lane, Model, RunnerFrame, Source, StreamOptions } from '../../src/types.ts';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import { plenty } from '../helpers/plenty.ts';
import { modelIn } from '../models/fixtures.ts';
import { createMemorySpool, type MemorySpool } from './memory-spool.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

/** What a model does with a frame of a camera; `name`: it fails the call and says for which frames. */
export type Deed = 'well' | 'die' | 'raise' | 'name' | 'hang';

export interface FakeModel {
  /** Milliseconds of a call, and of each frame in it. */
  readonly callMs?: number;
  readonly frameMs: number;
  /** Until it is ready. */
  readonly setUpMs?: number;
  readonly deed?: (camera: string, nth: number) => Deed;
  readonly manifest?: Partial<Model>;
}

export interface Seen {
  readonly camera: string;
  readonly stream: string;
  readonly sequence: number;
  readonly atMs: number;
  /** Since its capture. */
  readonly ageMs: number;
}

export interface Site {
  readonly clock: VirtualClock;
  readonly spool: MemorySpool;
  readonly books: Books;
  readonly letters: readonly DeadLetter[];
  readonly records: readonly BatchRecord[];
  readonly pipeline: Pipeline;
  readonly lane: (model: string) => Lane;
  readonly tally: ReturnType<typeof createTally>;
  /** Frames that the model was shown, in order, and the sizes of its calls. */
  readonly seen: Record<string, Seen[]>;
  readonly calls: Record<string, number[]>;
  /** When the model's runners were started. */
  readonly starts: Record<string, number[]>;
  start(camera: string, models: readonly string[], options?: Partial<StreamOptions>): Stream;
  /** Lets so many seconds pass. */
  pass(seconds: number): Promise<void>;
  close(): Promise<void>;
}

const SETTINGS = {
  model_deadline_seconds: 60, model_retries: 2, runner_restarts: 5, runner_restart_window_seconds: 60, runner_idle_seconds: 600,
  queue_per_stream: 3, queue_total: 200, batch_size: 10, join_deadline_seconds: 30,
  data_dir: '/nowhere', record_format: 'v1', record_when: null, snapshot: 'none', keep_frames: 'none', time_zone: 'UTC',
} as const;

export async function openSite(models: Readonly<Record<string, FakeModel>>, settings: Partial<Config> = {}): Promise<Site> {
  const config = { ...SETTINGS, ...settings } as Config;
  const clock = createVirtualClock();
  const stop = new AbortController();
  const spool = createMemorySpool();
  const books = await openBooks('/data');
  const tally = createTally(clock, silentLog);
  const seen: Site['seen'] = {};
  const calls: Site['calls'] = {};
  const starts: Site['starts'] = {};
  const letters: DeadLetter[] = [];
  const records: BatchRecord[] = [];
  const streams: Stream[] = [];
  const capturedAt = new Map<string, number>();
  const lanes = new Map(Object.keys(models).map((name) => [name, laneOf(name)]));

  function laneOf(name: string): Lane {
    const { callMs = 0, frameMs, setUpMs = 0, deed = () => 'well', manifest = {} } = models[name] ?? { frameMs: 0 };
    const model = modelIn(`/models/${name}`, { name, runtime: 'node', ...manifest });
    const counts = new Map<string, number>();
    const shown: Seen[] = seen[name] = [];
    const sizes: number[] = calls[name] = [];
    const begun: number[] = starts[name] = [];

    async function predict(frames: readonly RunnerFrame[], signal: AbortSignal, die: (why: string) => void) {
      sizes.push(frames.length);
      for (const { stream, sequence, file } of frames) {
        shown.push({ camera: cameraOf(stream), stream, sequence, atMs: clock.monotonic(), ageMs: clock.monotonic() - (capturedAt.get(file.slice('/views/'.length)) ?? 0) });
      }
      const deeds = frames.map(({ stream }) => {
        const camera = cameraOf(stream);
        counts.set(camera, (counts.get(camera) ?? 0) + 1);
        return deed(camera, counts.get(camera) ?? 0);
      });
      if (deeds.includes('hang')) {
        await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve(); }); });
        die('was killed because a call was aborted');
        throw signal.reason;
      }
      const began = clock.monotonic();
      await clock.sleep(callMs + frameMs * frames.length, signal);
      signal.throwIfAborted();
      if (deeds.includes('die')) {
        die('exited with code 7');
        throw new LookoutError('runner_died', 'exited with code 7');
      }
      if (deeds.includes('name')) throw new LookoutError('runner_failed', 'cannot look', { details: { last_words: '', frames: deeds.flatMap((one, place) => (one === 'name' ? [place] : [])) } });
      if (deeds.includes('raise')) throw new LookoutError('runner_failed', 'cannot look', { details: { last_words: 'cannot look' } });
      return { predictions: frames.map(({ index }) => ({ index, detections: [] })), inference_ms: clock.monotonic() - began };
    }

    return createLane(name, {
      settings: config, clock, log: silentLog,
      read: () => Promise.resolve(model),
      files: () => Promise.resolve({ files: new Map(), declared: new Set() }),
      print: () => undefined,
      view: (keys) => Promise.resolve({ files: keys.map((key) => `/views/${key}`), close: () => Promise.resolve() }),
      prepare: () => Promise.resolve({
        fingerprint: null,
        markUsed: () => Promise.resolve(),
        async start(_print, signal) {
          begun.push(clock.monotonic());
          await clock.sleep(setUpMs, signal);
          let die: (why: string) => void = () => undefined;
          const ended = new Promise<string>((resolve) => { die = resolve; });
          return {
            ready: { detector: name, labels: null, device: null, mix: true, slots: 1 }, ended,
            predict: (frames, _options, given) => predict(frames, given, die),
            memory: () => Promise.resolve(null),
            close: () => Promise.resolve().then(() => { die('was closed'); }),
          };
        },
      }),
    });
  }

  const lane = (name: string): Lane => {
    const own = lanes.get(name);
    if (!own) throw new Error(`no model ${name}`);
    return own;
  };
  const none: Expendable = { folder: '/letters', held: () => 0, letGo: () => Promise.resolve(NOTHING) };
  const deadLetters: DeadLetters = {
    folder: '/letters', folderOf: ({ id }) => `/letters/${id}`, get: (id) => Promise.resolve(letters.find(({ batch }) => batch.id === id) ?? null),
    add: (letter) => {
      letters.push({ ...letter, at: '' });
      return Promise.resolve();
    },
    list: () => Promise.resolve(letters), remove: () => Promise.resolve(), holding: (_batch, work) => work(), recorded: none, unrecorded: none,
  };
  const pipeline = createPipeline({
    config, spool, books, deadLetters, room: plenty, lane, clock, log: silentLog, signal: stop.signal,
    recordLog: {
      append: async (items) => {
        await Promise.resolve();
        if (spool.full) throw new Error('ENOSPC: no space left on device');
        records.push(...items);
      },
      has: (id) => Promise.resolve(records.some(({ batch }) => batch.id === id)),
      read: () => Promise.resolve([]),
      reader: () => { throw new Error('nobody follows it'); },
      onAppended: () => undefined,
      heldBy: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    onRecorded: () => undefined,
    looked: (stream, frame, model, look) => { tally.looked(stream.camera_id, frame, model, look); },
    answered: (_batch, answers) => {
      tally.batch(answers);
      return Promise.resolve();
    },
    closed: () => undefined,
    over: () => undefined,
    makeRecord: await createStages({
      config, path: (key) => key, camera: (id) => Promise.resolve({ id, latitude: null, longitude: null }), hostIp: () => null, sectionOf: () => null, janitor: { join: () => undefined }, log: silentLog, signal: stop.signal,
    }),
  });
  const running = pipeline.run();

  async function* frames({ options }: { readonly options: StreamOptions }, _folder: string, signal: AbortSignal): AsyncGenerator<CapturedFrame, void, void> {
    for (;;) {
      await clock.sleep(options.interval_seconds * 1000, signal);
      if (signal.aborted) return;
      yield { captured_at: new Date(clock.now()).toISOString(), width: 640, height: 360, picture: { jpeg: new Uint8Array() }, missed: 0, mode: 'keyframes' };
    }
  }
  const source: Source = { frames, close: () => Promise.resolve() };

  return {
    clock, spool, books, letters, records, pipeline, lane, tally, seen, calls, starts,
    start(camera_id, names, options = {}) {
      const stream = startStream({ camera_id, url: 'rtsp://camera', trusted: true, models: names, options: { ...USUAL_STREAM_OPTIONS, ...options } }, {
        source, spool, books, demand: createDemand(clock), room: plenty, clock, log: silentLog, pacer: { busy: false, turn: () => Promise.resolve() },
        wanted: (model) => { lane(model).warm(); },
        offer: (frame, of) => {
          capturedAt.set(frame.key, clock.monotonic());
          pipeline.offer(frame, of);
        },
        closed: () => undefined,
        submit: (batch) => pipeline.submit(batch),
      });
      streams.push(stream);
      return stream;
    },
    pass: (seconds) => clock.pass(seconds * 1000),
    async close() {
      const stopped = Promise.all(streams.map((stream) => stream.stop('over')));
      await clock.pass(1000);
      await stopped;
      stop.abort(new LookoutError('shutting_down', 'over'));
      const closed = Promise.all([running, ...[...lanes.values()].map((own) => own.close())]);
      await clock.pass(10_000);
      await closed;
      tally.close();
    },
  };
}

export const cameraOf = (session: string): string => session.replace(/_[0-9a-f]{8}$/, '');

/** Cameras that do not tick together, `spacing` seconds apart. */
export async function startCameras(site: Site, count: number, models: readonly string[], { spacing = 0.137, options = {} }: { readonly spacing?: number; readonly options?: Partial<StreamOptions> } = {}): Promise<readonly string[]> {
  const cameras = Array.from({ length: count }, (_, index) => `CAM-${String(index + 1).padStart(3, '0')}`);
  for (const camera of cameras) {
    site.start(camera, models, options);
    await site.pass(spacing);
  }
  return cameras;
}

/** How many frames of each camera a model was shown. */
export function looksByCamera(site: Site, model: string, cameras: readonly string[], since = 0): readonly number[] {
  const counts = new Map(cameras.map((camera) => [camera, 0]));
  for (const { camera, atMs } of site.seen[model] ?? []) if (atMs >= since && counts.has(camera)) counts.set(camera, (counts.get(camera) ?? 0) + 1);
  return [...counts.values()];
}
