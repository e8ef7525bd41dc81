/** What Lookout lets others ask and do, over HTTP and by followers: each by the part that knows. */
import type { CameraTable } from './cameras/table.ts';
import type { Streams } from './capture/streams.ts';
import { LookoutError } from './errors.ts';
import type { Chronicle } from './events/chronicle.ts';
import type { Rulebook } from './events/rulebook.ts';
import type { Followers } from './following/followers.ts';
import type { Lanes } from './inference/lanes.ts';
import { readIfPresent } from './lib/files.ts';
import { storageOf } from './lib/storage.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import { createDrawer } from './record/drawer.ts';
import { pictureOf } from './record/picture.ts';
import { RECORD_SCHEMAS } from './record/schema.ts';
import type { Books } from './store/books.ts';
import { createCameraKeys } from './store/camera-keys.ts';
import type { Clips } from './store/clips.ts';
import type { EventPictures } from './store/event-pictures.ts';
import { evidenceFile } from './store/evidence.ts';
import type { Room } from './store/janitor.ts';
import type { Config, EventClip, Face, PushCamera, RecordLog, ReviewedEvent, StorageStatus } from './types.ts';

export interface FaceParts {
  readonly config: Config;
  /** Of a stream that names none. */
  readonly defaultModels: readonly string[];
  readonly streams: Streams;
  readonly lanes: Lanes;
  readonly books: Books;
  readonly pipeline: Pipeline;
  readonly recordLog: RecordLog;
  readonly cameras: CameraTable;
  readonly clips: Clips;
  readonly events: Chronicle;
  /** Of an event; null: it has none, or not yet. */
  readonly clipOf: (event: string) => EventClip | null;
  readonly eventPictures: EventPictures;
  readonly rules: Rulebook;
  readonly room: Room;
  readonly pushCamera: PushCamera | null;
  /** null: it is starting. */
  readonly followersNow: () => Followers | null;
  readonly phase: () => 'starting' | 'running' | 'stopping';
  /** Aborts when Lookout stops. */
  readonly signal: AbortSignal;
}

export function createFace({
  config, defaultModels, streams, lanes, books, pipeline, recordLog, cameras, clips, events, clipOf, eventPictures, rules, room, pushCamera, followersNow, phase, signal: stopping,
}: FaceParts): Face {
  async function recordPicture(id: string, frame: number | null): Promise<Uint8Array | null> {
    const [record] = await recordLog.read({ id, limit: 1, pictures: true });
    const picture = pictureOf(record, frame);
    if (picture === null || 'jpeg' in picture) return picture?.jpeg ?? null;
    const file = evidenceFile(config.data_dir, picture.key);
    return file === null ? null : readIfPresent(file);
  }

  const eventPicture = async (id: string): Promise<Uint8Array | null> => (events.get(id) ? readIfPresent(eventPictures.file(id)) : null);
  const draw = createDrawer();
  /** It may have come too late for the last entry. */
  const withClip = (event: ReviewedEvent): ReviewedEvent => ({ ...event, clip: event.clip ?? clipOf(event.id) });
  const eventOf = (id: string): ReviewedEvent | null => {
    const event = events.get(id);
    return event && withClip(event);
  };

  const expectFollowers = (): Followers => {
    const followers = followersNow();
    if (!followers) throw new LookoutError('not_ready', 'Lookout is starting.');
    return followers;
  };
  /** It would be done once the disk is back, when whoever asked for it has long given up. */
  async function change<Result>(work: () => Promise<Result>): Promise<Result> {
    if (room.silence) throw room.silence;
    return work();
  }

  const parts: Face['parts'] = () => [
    { part: 'server', reasons: phase() === 'running' ? [] : [`Lookout is ${phase()}`] },
    { part: 'disk', reasons: [room.trouble, room.silence].flatMap((error) => (error ? [error.message] : [])) },
    { part: 'records', reasons: pipeline.troubles() },
  ];

  return {
    recordSchema: RECORD_SCHEMAS[config.record_format],
    defaults: { models: defaultModels, record_format: config.record_format },
    start: (request) => change(() => streams.start(request)),
    stop: (id) => change(() => streams.stop(id)),
    change: (id, wanted) => change(() => streams.change(id, wanted)),
    remove: (id) => change(async () => {
      await streams.remove(id);
      events.removed(id);
    }),
    streams: () => streams.list(),
    stream: (id) => streams.get(id),
    models: () => room.read(() => lanes.statuses()),
    modelLog: (model) => room.read(() => lanes.printsOf(model)),
    books: () => books.total(),
    latest: (id) => streams.latest(id),
    readPicture: ({ file }) => room.read(() => readIfPresent(file)),
    picture: (id, signal) => streams.picture(id, signal),
    isCameraKey: createCameraKeys(config.data_dir).isRight,
    expectTakesPush: (id) => { streams.expectTakesPush(id); },
    push: (id, picture) => streams.push(id, picture),
    pushCamera,
    probe: (request, signal) => streams.probe(request, signal),
    live: (id, signal) => streams.live(id, signal),
    makeClip: async (id, wanted) => {
      const video = streams.video(id);
      return clips.keep({ camera_id: id, made_of: 'video', events: [] }, (file) => video.clip(id, file, wanted));
    },
    clips: (query) => clips.list(query),
    clip: (id) => clips.get(id),
    clipFile: (id) => clips.file(id),
    removeClip: (id) => clips.remove(id),
    cameras: () => room.read(() => cameras.rows()),
    addCamera: (row) => change(() => cameras.add(row, stopping)),
    records: (query) => room.read(() => recordLog.read(query)),
    recordPicture: (id, frame) => room.read(() => recordPicture(id, frame)),
    events: (query) => events.list(query).map(withClip),
    event: eventOf,
    reviewEvent: async (id, review) => withClip(await events.review(id, review)),
    eventPicture: (id) => room.read(() => eventPicture(id)),
    eventDrawing: (id, signal) => room.read(async () => {
      const [event, shown] = [events.get(id), await events.shown(id)];
      return event && shown?.box ? draw(eventPictures.file(id), [{ class: event.class, confidence: shown.confidence, box: shown.box }], shown, signal) : eventPicture(id);
    }),
    eventsSince: (id) => events.since(id),
    onEvent: (listener) => events.onItem(listener),
    silence: (cameraId, rule, until) => { events.silence(cameraId, rule, until); },
    silences: () => events.silences(),
    rules: () => rules.list(),
    rule: (name) => rules.get(name),
    changeRule: (name, change) => rules.change(name, change),
    followers: () => room.read(async () => expectFollowers().statuses()),
    testFollower: async (name, signal) => expectFollowers().test(name, signal),
    rewindFollower: async (name, to) => expectFollowers().rewind(name, to),
    retryFollower: async (name) => expectFollowers().retry(name),
    parts,
    notReady: () => parts().flatMap(({ reasons }) => reasons),
    get isDiskSilent() {
      return room.silence !== null;
    },
    storage: async () => (room.silence === null ? [await storageStatus('data', config.data_dir), await storageStatus('frames', config.frames_dir)] : []),
  };
}

async function storageStatus(folder: StorageStatus['folder'], path: string): Promise<StorageStatus> {
  const { free, size } = await storageOf(path);
  return { folder, free_bytes: free.bytes, size_bytes: size.bytes, free_inodes: Number.isFinite(free.files) ? free.files : null };
}
