/** What the outside sees of Lookout and may ask of it. */
import type { EventItem, EventQuery, EventRule, ReviewRequest, ReviewedEvent, Silence } from './event.ts';
import type { Json } from './json.ts';
import type { Print } from './lane.ts';
import type { RecordQuery } from './record.ts';
import type { PushOutcome, PushedPicture } from './source.ts';
import type { Balance, FollowerStatus, ModelStatus, PartStatus, StorageStatus, StreamStatus } from './status.ts';
import type { StreamOptions } from './stream.ts';
import type { Clip, ClipRequest, Probe } from './video.ts';
import type { PushCamera } from './videostream.ts';

export interface StartRequest {
  readonly camera_id: string | number;
  readonly url: string;
  /** Defaults to the configured default models. */
  readonly models?: readonly string[] | undefined;
  readonly options?: Partial<StreamOptions> | undefined;
}

export type ProbeRequest = Pick<StartRequest, 'url' | 'options'>;

export type StreamChange = Partial<Omit<StartRequest, 'camera_id'>> & { readonly enabled?: boolean | undefined };

/** A row of the camera table as its text stands there. */
export interface CameraRow {
  readonly cameraID: string;
  readonly latitude: string;
  readonly longitude: string;
}

export interface LatestPicture {
  readonly file: string;
  readonly captured_at: string;
}

/** What http may do and see: queries and a few commands. Errors are LookoutError with a status; what is read from a disk throws `disk_failed` while that gives no answer. */
export interface Face {
  /** JSON Schema of the records that are written. */
  readonly recordSchema: object;
  readonly defaults: { readonly models: readonly string[]; readonly record_format: 'v1' | 'v2' | 'v3' };
  start(request: StartRequest): Promise<'started' | 'already_running'>;
  stop(cameraId: string | number): Promise<'stopped' | 'not_running'>;
  /** Changes options, models or url of a stream that exists; it is restarted with them. */
  change(cameraId: string, change: StreamChange): Promise<StreamStatus>;
  /** Stops a stream and forgets it; one of lookout.yaml is refused. */
  remove(cameraId: string): Promise<void>;
  streams(): readonly StreamStatus[];
  stream(cameraId: string): StreamStatus | null;
  models(): Promise<readonly ModelStatus[]>;
  /** What the model printed last, oldest first. Throws not_found. */
  modelLog(model: string): Promise<readonly Print[]>;
  books(): Balance;
  /** Newest picture of a camera, which wakes nobody. */
  latest(cameraId: string): LatestPicture | null;
  /**
   * Likewise, for somebody who watches the camera until the signal aborts: one on demand is woken, and what it showed before does
   * not count. Throws why none came within a while.
   */
  picture(cameraId: string, signal: AbortSignal): Promise<LatestPicture | null>;
  /** Its JPEG; null: it is gone. */
  readPicture(picture: LatestPicture): Promise<Uint8Array | null>;
  /** Whether this is the key that was made for the camera. */
  isCameraKey(cameraId: string, key: string): Promise<boolean>;
  /** Throws not_found and not_running where no picture of the camera can be taken, whatever it is. */
  expectTakesPush(cameraId: string): void;
  /** A picture that a camera of a `push:` stream brings. Throws what PushSource throws, not_found and not_running. */
  push(cameraId: string, picture: PushedPicture): Promise<PushOutcome>;
  /** null: Lookout stands in for no push-frame server. */
  readonly pushCamera: PushCamera | null;
  /** Looks at a camera that need not be known. Throws what `start` throws, what sources throw, and too_many_at_once. */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<Probe>;
  /** Live video of a camera, which wakes one on demand; see VideoSource. Throws not_found too. */
  live(id: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Keeps a clip of a camera; resolves when it is there. Throws what VideoSource throws, and not_found. */
  makeClip(id: string, wanted: ClipRequest): Promise<Clip>;
  /** Newest first. */
  clips(query: { readonly camera_id?: string | undefined; readonly limit: number }): readonly Clip[];
  clip(id: string): Clip | null;
  /** Its file; null: there is no such clip, or not any more. */
  clipFile(id: string): string | null;
  /** Whether there was one. */
  removeClip(id: string): Promise<boolean>;
  /** The camera table as text, untouched, in file order. */
  cameras(): Promise<readonly CameraRow[]>;
  /** Throws bad_request `Camera ID already exists` for an id that is there, compared without blanks around it. */
  addCamera(row: CameraRow): Promise<void>;
  /** Newest first. */
  records(query: RecordQuery): Promise<readonly Json[]>;
  /** JPEG of a frame of a recorded batch, by its index, or of the frame that the record shows. null: there is none, or not any more. */
  recordPicture(id: string, frame: number | null): Promise<Uint8Array | null>;
  /** Newest first; what began long ago is in the log alone. */
  events(query: EventQuery): readonly ReviewedEvent[];
  event(id: string): ReviewedEvent | null;
  /** Resolves once it is in the log. Throws not_found, log_failed. */
  reviewEvent(id: string, review: ReviewRequest): Promise<ReviewedEvent>;
  /** JPEG; null: there is no such event, or no picture of it any more. */
  eventPicture(id: string): Promise<Uint8Array | null>;
  /** The same with what was seen drawn into it, where it has a box. Throws bad_frame, too_many_at_once. */
  eventDrawing(id: string, signal: AbortSignal): Promise<Uint8Array | null>;
  /** Items since the one of that id, oldest first; null: that one is not among the newest. */
  eventsSince(id: string): readonly EventItem[] | null;
  /** Told of each item of the log of events. Answers how to hear no more. */
  onEvent(listener: (item: EventItem) => void): () => void;
  /** Nothing of the camera, or of one rule of it, alerts until then, in milliseconds since 1970. */
  silence(cameraId: string, rule: string | null, until: number): void;
  silences(): readonly Silence[];
  /** Rules of events, as they are now. */
  rules(): readonly EventRule[];
  /** Throws not_found, which names those that there are. */
  rule(name: string): EventRule;
  /** Until the restart. What is null is again as lookout.yaml says. Throws not_found, bad_request. */
  changeRule(name: string, change: Readonly<Record<string, Json | undefined>>): EventRule;
  /** How those do who follow the logs. Throws not_ready while Lookout starts. */
  followers(): Promise<readonly FollowerStatus[]>;
  /** Reaches its target; answers in words. Throws not_found, target_away. */
  testFollower(name: string, signal: AbortSignal): Promise<string>;
  /** `to`: `now`, `beginning`, or a time. Throws not_found, bad_request. */
  rewindFollower(name: string, to: string): Promise<void>;
  /** How many of those set aside were taken. Throws not_found, target_away. */
  retryFollower(name: string): Promise<number>;
  /** What has to be ready before records are written. */
  parts(): readonly PartStatus[];
  /** The reasons of the parts that are not ready; empty: ready. */
  notReady(): readonly string[];
  /** A disk gives no answer: what waits for it may wait for long. */
  readonly isDiskSilent: boolean;
  /** Of the file systems that are written to; of none while one gives no answer. */
  storage(): Promise<readonly StorageStatus[]>;
}
