/** The whole road of a batch in a folder of its own, real but for its models, which say what the test tells them. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { createLog } from '../../src/lib/log.ts';
import { openLog } from '../../src/log/record-log.ts';
import { openBooks, type Books } from '../../src/store/books.ts';
import { createCameraTable } from '../../src/cameras/table.ts';
import { openDeadLetters, type DeadLetters } from '../../src/store/dead-letters.ts';
import { createHostAddress } from '../../src/record/host.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createPipeline, type Pipeline, type PipelineParts } from '../../src/pipeline/pipeline.ts';
import { createStages } from '../../src/pipeline/stages.ts';
import type { RecordSettings } from '../../src/record/enrich.ts';
import type { ReplayParts } from '../../src/pipeline/replay.ts';
import { createSpool, type Session, type Spool } from '../../src/store/spool.ts';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import type { Batch, BatchRecord, Config, Lane, Look, Readiness, RecordLog } from '../../src/types.ts';
import { batchOf, putFrames } from '../store/folder.ts';
import { plenty } from '../helpers/plenty.ts';
import { readRecords } from '../helpers/records-file.ts';
import { identity } from '../record/parts.ts';

export interface Road {
  readonly config: Config;
  readonly spool: Spool;
  readonly books: Books;
  readonly deadLetters: DeadLetters;
  readonly recordLog: RecordLog;
  readonly pipeline: Pipeline;
  readonly replay: ReplayParts;
  readonly logged: () => string;
  /** Ids of the batches whose record is in the log, in that order. */
  readonly recorded: readonly string[];
  /** A batch of these models with so many frames, in the spool. */
  batch(models: readonly string[], frames?: number, camera?: string): Promise<Batch>;
  records(): Promise<readonly BatchRecord[]>;
  /** Starts the loop over batches. */
  run(): void;
  /** As at the end of a process: the loop is ended, files are closed. Done after the test at the latest. */
  close(): Promise<void>;
}

/** A model of the road: it answers each batch once that is closed, or not, and may not be ready. */
export interface FakeLane extends Lane {
  readiness: Readiness;
  /** Keys of the frames of each batch that it was asked about. */
  readonly calls: (readonly string[])[];
}

/** A look for each frame of a batch. */
type Says = () => readonly Look[] | Promise<readonly Look[]>;

/** Does not answer, as a model that hangs. */
export const never: Says = () => new Promise(() => undefined);

export function fakeLane(says: Says, { readiness = 'ready' }: { readonly readiness?: Readiness } = {}): FakeLane {
  const calls: FakeLane['calls'] = [];
  const asked = new Map<string, (look: Look) => void>();
  const lane: FakeLane = {
    readiness, identity, calls,
    get skipReason() {
      return lane.readiness === 'ready' ? 'late' : 'not_ready';
    },
    warm: () => undefined, hold: () => undefined, release: () => undefined,
    look: ({ key }, _stream, signal) => new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        asked.delete(key);
        reject(signal.reason as Error);
      });
      asked.set(key, resolve);
    }),
    batchClosed(keys) {
      if (lane.readiness === 'not_ready') return;
      calls.push(keys);
      void Promise.resolve(says()).then((looks) => {
        for (const [place, key] of keys.entries()) {
          const look = looks[place] ?? looks.at(-1);
          if (look) asked.get(key)?.(look);
        }
      });
    },
    model: null,
    status: () => ({ state: 'ready', reason: '', progress: null, detector: null, device: null, restarts: 0, successor: null }),
    memory: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
  return lane;
}

export async function road(
  folder: string, lanes: Readonly<Record<string, Lane>>, settings: Partial<Config & RecordSettings> = {}, change: (parts: PipelineParts) => Partial<PipelineParts> = () => ({}),
): Promise<Road> {
  const { config } = await loadConfig({ flags: { time_zone: 'UTC', host_ip: '192.0.2.1', join_deadline_seconds: 1, ...settings }, env: {}, cwd: folder });
  const lines: string[] = [];
  const log = createLog({ level: 'debug', format: 'text', write: (line) => lines.push(line) });
  const stop = new AbortController();
  const recordLog = await openLog({ config, log });
  const books = await openBooks(config.data_dir);
  const spool = createSpool(config.frames_dir);
  const deadLetters = await openDeadLetters(config, spool, books);
  const recorded: string[] = [];
  const cameras = createCameraTable({ file: config.camera_data, log });
  const host = createHostAddress({ setting: config.host_ip, log });
  const parts: PipelineParts = {
    config, clock: systemClock, looked: () => undefined, answered: () => Promise.resolve(), closed: () => undefined, over: () => undefined, spool, books, deadLetters, recordLog, room: plenty, log, signal: stop.signal,
    lane: (model) => {
      const lane = lanes[model];
      if (!lane) throw new Error(`no lane ${model}`);
      return lane;
    },
    makeRecord: await createStages({
      config, path: spool.path, camera: cameras.lookup, hostIp: host.current, sectionOf: (model) => (model === 'animals' ? 'stray_animal' : null), janitor: { join: () => undefined }, log, signal: stop.signal,
    }),
    onRecorded: ({ id }) => recorded.push(id),
  };
  const pipeline = createPipeline({ ...parts, ...change(parts) });
  const sessions = new Map<string, Session>();
  const taken = new Map<string, number>();
  let running: Promise<void> = Promise.resolve();

  async function close(): Promise<void> {
    stop.abort(new Error('the end of the process'));
    await running;
    await recordLog.close();
    await books.close().catch(() => undefined);
  }
  onTestFinished(close);

  return {
    config, spool, books, deadLetters, recordLog, pipeline, recorded, close,
    replay: { spool, books, deadLetters, pipeline },
    logged: () => lines.join(''),
    async batch(models, count = 2, camera_id = 'CAM-1') {
      const session = sessions.get(camera_id) ?? await spool.open({ camera_id, models, options: USUAL_STREAM_OPTIONS });
      sessions.set(camera_id, session);
      const first = taken.get(camera_id) ?? 0;
      taken.set(camera_id, first + count);
      books.captured(camera_id, count);
      return batchOf({ ...session, models }, await putFrames(spool, session, count, first));
    },
    records: () => readRecords(join(config.data_dir, 'predictions.json')),
    run() {
      running = pipeline.run();
    },
  };
}
