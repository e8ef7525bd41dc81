/** A small in-memory Face: streams start at once, nothing is captured; tests set what it shows. */
import { ruleFault } from '../../src/config/check.ts';
import { LookoutError } from '../../src/errors.ts';
import { createRecent } from '../../src/events/recent.ts';
import { createRulebook } from '../../src/events/rulebook.ts';
import { createSilences } from '../../src/events/silences.ts';
import { readIfPresent } from '../../src/lib/files.ts';
import { hideCredentials } from '../../src/lib/secrets.ts';
import { describe } from '../../src/log/describe.ts';
import { pictureOf } from '../../src/record/picture.ts';
import { RECORD_SCHEMAS } from '../../src/record/schema.ts';
import type { Balance, Clip, EventItem, Face, FollowerStatus, Json, ModelStatus, Probe, PushedPicture, RecordQuery, StartRequest, StorageStatus, StreamOptions, StreamStatus } from '../../src/types.ts';
import { ruleOf } from '../../src/words/event-rules.ts';
import { lateAfterSeconds } from '../../src/words/stream-state.ts';

type CameraRow = Awaited<ReturnType<Face['cameras']>>[number];

export interface FakeFace extends Face {
  readonly table: CameraRow[];
  readonly written: Json[];
  readonly pictures: Map<string, { file: string; captured_at: string }>;
  /** What comes of those that are watched, by camera. */
  readonly videos: Map<string, () => AsyncIterable<Uint8Array>>;
  /** Of clips, by their ids. */
  readonly clipFiles: Map<string, string>;
  /** Frames of recorded batches, by their keys. */
  readonly kept: Map<string, Uint8Array>;
  readonly missing: string[];
  /** Those who hear of events. */
  readonly hearing: Set<(item: EventItem) => void>;
  /** Of events, by their ids. */
  readonly eventPictures: Map<string, Uint8Array>;
  /** Those who follow the logs. */
  readonly following: FollowerStatus[];
  /** An item comes into the log of events. */
  tell(item: EventItem): void;
  /** What storage answers. */
  readonly room: StorageStatus[];
  /** What was asked of start and records, oldest first. */
  readonly asked: { readonly starts: StartRequest[]; readonly queries: RecordQuery[]; readonly pushes: (PushedPicture & { readonly camera_id: string })[] };
  /** Changes what a stream or model shows. */
  show(cameraId: string, change: Partial<StreamStatus>): void;
  showModel(name: string, change: Partial<ModelStatus>): void;
  /** The next call of any command throws this. */
  failNext(error: Error): void;
}

/** Of every camera. */
export const CAMERA_KEY = 'the-key-of-this-camera';

export const OPTIONS: StreamOptions = {
  interval_seconds: 3, batch_size: 10, batch_deadline_seconds: 60, capture_mode: 'auto', transport: 'tcp', video_track: 1, tls: 'verify', duration_seconds: null, clips: false, on_demand: false, linger_seconds: 30,
};

export const PROBE: Omit<Probe, 'jpeg'> = {
  engine: 'libav', codec: 'h264', width: 1920, height: 1080, frames_per_second: 25, bits_per_second: 4_000_000, key_frame_seconds: 2, b_frames: false, damaged: 0,
  clock_offset_seconds: null, capture_mode: 'keyframes', picture_ms: 40, first_picture_seconds: 0.4,
};

const NO_BOOKS: Balance = { captured: 0, recorded: 0, dead_lettered: 0, dropped: {}, in_spool: 0 };

export function createFakeFace(defaults: Face['defaults'] = { models: ['animals'], record_format: 'v1' }): FakeFace {
  const streams = new Map<string, StreamStatus>();
  const models = new Map(['animals', 'motion', 'potholes'].map((name) => [name, modelStatus(name)]));
  const table: CameraRow[] = [
    { cameraID: 'CAM-001', latitude: '37.7749', longitude: '-122.4194' },
    { cameraID: 'CAM-002', latitude: '34.0522', longitude: '-118.2437' },
  ];
  const written: Json[] = [];
  const pictures: FakeFace['pictures'] = new Map();
  const kept: FakeFace['kept'] = new Map();
  const videos: FakeFace['videos'] = new Map();
  const clipFiles: FakeFace['clipFiles'] = new Map();
  const clips: Clip[] = [];
  const missing: string[] = [];
  const room: FakeFace['room'] = [{ folder: 'data', free_bytes: 40e9, size_bytes: 100e9, free_inodes: 1e6 }, { folder: 'frames', free_bytes: 7e9, size_bytes: 8e9, free_inodes: null }];
  const asked: FakeFace['asked'] = { starts: [], queries: [], pushes: [] };
  let failure: Error | null = null;

  const following: FollowerStatus[] = [{
    name: 'control-room', type: 'webhook', target: 'https://hooks.example', logs: ['events'], state: 'waiting', reason: 'it took no connection', since: '2026-01-01T00:00:00.000Z',
    lag_items: 3, lag_seconds: 1.5, delivered: 40, lost: 0, set_aside: 2, last_delivered_at: null,
  }];
  const keptEvents = new Set<string>();
  const recent = createRecent((id) => keptEvents.has(id));
  const rules = createRulebook([{ name: 'dogs', confidence: 0.5, hours: '* 22 * * *' }, { name: 'complaints' }].map(ruleOf), ruleFault, () => undefined);
  const eventPictures: FakeFace['eventPictures'] = new Map();
  const hearing: FakeFace['hearing'] = new Set();
  const silences = createSilences();
  const follower = (name: string): FollowerStatus => {
    const found = following.find((one) => one.name === name);
    if (!found) throw new LookoutError('not_found', `No follower "${name}".`);
    return found;
  };

  /** Runs a command, unless it was told to fail. */
  const command = <T>(act: () => T): Promise<T> => new Promise((resolve) => {
    const error = failure;
    failure = null;
    if (error) throw error;
    resolve(act());
  });

  function tell(item: EventItem): void {
    if (item.kind === 'review' && item.keep) keptEvents.add(item.event);
    if (item.kind === 'review' && !item.keep) keptEvents.delete(item.event);
    recent.add(item);
    for (const listener of hearing) listener(item);
  }

  return {
    defaults, recordSchema: RECORD_SCHEMAS[defaults.record_format], table, written, pictures, kept, videos, clipFiles, missing, room, asked,
    start: (request) => command(() => {
      const id = String(request.camera_id);
      if (streams.get(id)?.capturing) return 'already_running';
      checkScheme(request.url);
      const unknown = (request.models ?? []).find((name) => !models.has(name));
      if (unknown !== undefined) throw new LookoutError('unknown_model', `Model "${unknown}" is not known; known are ${[...models.keys()].join(', ')}.`);
      asked.starts.push(request);
      streams.set(id, streamStatus(request, defaults.models));
      return 'started';
    }),
    stop: (cameraId) => command(() => {
      const stream = streams.get(String(cameraId));
      if (!stream?.capturing) return 'not_running';
      streams.set(String(cameraId), { ...stream, capturing: false, state: 'stopped', reason: 'stopped by request', enabled: false });
      return 'stopped';
    }),
    change: (cameraId, { url, models: names, options, enabled }) => command(() => {
      const stream = streams.get(cameraId);
      if (!stream) throw new LookoutError('not_found', `No stream of camera "${cameraId}".`);
      if (url !== undefined) checkScheme(url);
      const on = enabled ?? stream.enabled;
      const changed: StreamStatus = {
        ...stream, enabled: on, capturing: on, state: on ? 'running' : 'stopped', reason: on ? 'capturing' : 'disabled',
        url: hideCredentials(url ?? stream.url), models: names ?? stream.models, options: { ...stream.options, ...options },
      };
      streams.set(cameraId, changed);
      return changed;
    }),
    remove: (cameraId) => command(() => { streams.delete(cameraId); }),
    streams: () => [...streams.values()],
    stream: (cameraId) => streams.get(cameraId) ?? null,
    models: () => command(() => [...models.values()]),
    modelLog: (name) => command(() => {
      if (!models.has(name)) throw new LookoutError('not_found', `no model ${name}`);
      return [{ at: '2026-11-20T12:00:00.000Z', text: `${name} loads its weights` }];
    }),
    books: () => sumOf([...streams.values()].map((stream) => stream.books)),
    latest: (cameraId) => pictures.get(cameraId) ?? null,
    readPicture: ({ file }) => readIfPresent(file),
    picture: (cameraId) => command(() => pictures.get(cameraId) ?? null),
    hearing, eventPictures, following, tell,
    events: (query) => recent.list(query),
    event: (id) => recent.get(id),
    reviewEvent: (event, request) => command(() => {
      const known = recent.get(event);
      if (!known) throw new LookoutError('not_found', `No event "${event}".`);
      const { camera_id, rule, verdict, keep } = { ...known, ...request };
      tell({ kind: 'review', id: `review-of-${event}`, event, at: '2026-01-01T00:00:09.000Z', camera_id, rule, verdict, keep });
      return { ...known, verdict, keep };
    }),
    eventPicture: (id) => Promise.resolve(eventPictures.get(id) ?? null),
    eventDrawing: (id) => command(() => {
      const picture = eventPictures.get(id);
      return picture ? Buffer.concat([picture, Buffer.from(' with its box')]) : null;
    }),
    rules: () => rules.list(),
    rule: (name) => rules.get(name),
    changeRule: (name, change) => rules.change(name, change),
    eventsSince: (id) => recent.since(id),
    onEvent(listener) {
      hearing.add(listener);
      return () => { hearing.delete(listener); };
    },
    silence: (camera_id, rule, until) => { silences.add({ camera_id, rule, from: Date.now(), until }); },
    silences: () => silences.list(Date.now()),
    followers: () => command(() => following),
    testFollower: (name) => command(() => `${follower(name).target} answers`),
    rewindFollower: (name) => command(() => { follower(name); }),
    retryFollower: (name) => command(() => follower(name).set_aside),
    pushCamera: null,
    isCameraKey: (_cameraId, key) => command(() => key === CAMERA_KEY),
    expectTakesPush: (cameraId) => {
      if (!streams.has(cameraId)) throw new LookoutError('not_found', `no stream of camera '${cameraId}'`);
      if (!streams.get(cameraId)?.capturing) throw new LookoutError('not_running', `the stream of camera '${cameraId}' does not run`);
    },
    push: (cameraId, picture) => command(() => {
      asked.pushes.push({ camera_id: cameraId, ...picture });
      return 'taken';
    }),
    probe: ({ url }) => command(() => {
      checkScheme(url);
      return { ...PROBE, jpeg: Buffer.from('jpeg') };
    }),
    live: (id) => command(() => {
      const chunks = videos.get(id);
      if (!chunks) throw new LookoutError('no_live_video', `camera '${id}' sends none`);
      return chunks();
    }),
    makeClip: (camera_id, { before_seconds, after_seconds }) => command(() => {
      const clip = { id: `${camera_id}_clip_${clips.length}`, camera_id, begins_at: '2026-11-20T12:00:00.000Z', seconds: before_seconds + after_seconds, codec: 'h264', width: 640, height: 360, reason: null, bytes: 10, made_of: 'video', events: [] } as const;
      clips.unshift(clip);
      return clip;
    }),
    clips: ({ camera_id, limit }) => clips.filter((clip) => camera_id === undefined || clip.camera_id === camera_id).slice(0, limit),
    clip: (id) => clips.find((clip) => clip.id === id) ?? null,
    clipFile: (id) => clipFiles.get(id) ?? null,
    removeClip: (id) => command(() => {
      const at = clips.findIndex((clip) => clip.id === id);
      return clips.splice(at, at === -1 ? 0 : 1).length > 0;
    }),
    cameras: () => command(() => table),
    addCamera: (row) => command(() => {
      if (table.some((camera) => camera.cameraID.trim() === row.cameraID)) throw new LookoutError('bad_request', 'Camera ID already exists');
      table.push(row);
    }),
    records: (query) => command(() => {
      asked.queries.push(query);
      return written.filter((record) => query.id === undefined || describe(record).id === query.id).slice(0, query.limit).map((record) => (query.pictures ? record : withoutPicture(record)));
    }),
    recordPicture: (id, frame) => command(() => {
      const record = written.find((one) => describe(one).id === id);
      const picture = pictureOf(record, frame);
      if (picture === null || 'jpeg' in picture) return picture?.jpeg ?? null;
      return kept.get(picture.key) ?? null;
    }),
    parts: () => [{ part: 'server', reasons: [] }, { part: 'records', reasons: missing }],
    notReady: () => missing,
    isDiskSilent: false,
    storage: () => Promise.resolve(room),
    show(cameraId, change) {
      const stream = streams.get(cameraId);
      if (!stream) throw new Error(`no stream ${cameraId}`);
      streams.set(cameraId, { ...stream, ...change });
    },
    showModel(name, change) {
      models.set(name, { ...(models.get(name) ?? modelStatus(name)), ...change });
    },
    failNext(error) { failure = error; },
  };
}

function checkScheme(url: string): void {
  if (!/^((rtsp|http)s?|push):/.test(url)) throw new LookoutError('forbidden_scheme', `URLs of the scheme ${url.split(':', 1)[0] ?? ''} are not allowed`);
}

function streamStatus(request: StartRequest, defaultModels: readonly string[]): StreamStatus {
  return {
    camera_id: request.camera_id,
    session: `${String(request.camera_id)}_0123abcd`,
    url: hideCredentials(request.url),
    models: request.models ?? defaultModels,
    options: { ...OPTIONS, ...request.options },
    origin: 'api',
    enabled: true,
    schedule: null,
    capturing: true,
    state: 'running',
    reason: 'capturing key frames',
    since: new Date().toISOString(),
    reconnects: 0,
    capture_mode: 'keyframes',
    camera_clock_offset_seconds: null,
    last_frame_at: null,
    last_frame_age_seconds: null,
    late_after_seconds: lateAfterSeconds({ ...OPTIONS, ...request.options }),
    open_batch: 0,
    queued: 0,
    books: NO_BOOKS,
    records: 0,
    last_record_at: null,
    last_error: null,
  };
}

function modelStatus(name: string): ModelStatus {
  return {
    name, version: '1.0.0', runtime: 'node', section: name === 'animals' ? 'stray_animal' : name === 'potholes' ? 'pothole' : null,
    origin: 'built-in', state: 'idle', reason: 'not asked for yet', missing: null, progress: null, detector: null, device: null, restarts: 0, successor: null, runners: [], batches: 0, inference_seconds: 0,
    looks: { looked: 0, failed: 0, skipped: {} }, cameras: {},
  };
}

function sumOf(books: readonly Balance[]): Balance {
  return books.reduce<Balance>((sum, one) => ({
    captured: sum.captured + one.captured,
    recorded: sum.recorded + one.recorded,
    dead_lettered: sum.dead_lettered + one.dead_lettered,
    dropped: Object.fromEntries([...Object.keys(sum.dropped), ...Object.keys(one.dropped)].map((reason) => [reason, (sum.dropped[reason] ?? 0) + (one.dropped[reason] ?? 0)])),
    in_spool: sum.in_spool + one.in_spool,
  }), NO_BOOKS);
}

function withoutPicture(record: Json): Json {
  return JSON.parse(JSON.stringify(record, (key, value: unknown) => (key === 'frame_base64' ? undefined : value))) as Json;
}
