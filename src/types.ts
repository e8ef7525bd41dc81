/**
 * The words of Lookout and the contracts between its parts. Imports nothing.
 *
 * Data (what is stored, sent or shown) is readonly JSON with snake_case names, the same in memory, on disk and on the
 * wire; things that act have camelCase names. Every long call takes an AbortSignal last and honours it within a second.
 * Returning means done; throwing means not done.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

// ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A place with an id and coordinates (degrees, WGS 84); null where the table has none that can be used. */
export interface Camera {
  readonly id: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
}

export type CaptureMode = 'auto' | 'keyframes' | 'all';

/** How one stream is captured and batched. */
export interface StreamOptions {
  readonly interval_seconds: number;
  readonly batch_size: number;
  readonly batch_deadline_seconds: number;
  readonly capture_mode: CaptureMode;
  readonly transport: 'tcp' | 'udp';
  /** Of the stream's videos, counted from 1. */
  readonly video_track: number;
  /** How a camera over TLS is known: `verify`, `off`, or `sha256:` and the fingerprint of its certificate. */
  readonly tls: string;
  /** The stream stops by itself after this long; null: never. */
  readonly duration_seconds: number | null;
  /** Its last seconds of video are kept, so that clips begin before they are asked for; and its events that alert have clips. */
  readonly clips: boolean;
  /** It runs while somebody asks for its pictures, and `linger_seconds` after; else it is asleep. */
  readonly on_demand: boolean;
  readonly linger_seconds: number;
}

/** What somebody asked for: one camera, its address, the models that look at it. */
export interface StreamSpec {
  readonly camera_id: string;
  readonly url: string;
  /** Nobody sent the address over HTTP: it may lead anywhere. */
  readonly trusted: boolean;
  readonly models: readonly string[];
  readonly options: StreamOptions;
}

/** Facts about one picture, stamped once at capture and used everywhere. */
export interface FrameFacts {
  /** RFC 3339 in UTC with milliseconds. */
  readonly captured_at: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** A frame in the spool. `key` is its name relative to the frames folder: `<camera>_<8 hex>/<camera>_<time>.jpg`. */
export interface Frame extends FrameFacts {
  readonly key: string;
  /** What its camera says that it has seen in it; absent: nothing. */
  readonly findings?: readonly Detection[];
  /** Counts the frames of its session in the order of their capture, from 0: a clock that is set back does not change it. */
  readonly sequence: number;
}

export type ClosedBy = 'count' | 'deadline' | 'stopped' | 'recovered';

/** Up to `batch_size` frames of one stream; what its manifest holds. */
export interface Batch {
  /** `<session>-<time of the first frame>`: the idempotency key of its record. */
  readonly id: string;
  readonly camera_id: string;
  /** `<camera>_<8 hex>`, percent-encoded: the name of the session's folder. */
  readonly session: string;
  readonly closed_by: ClosedBy;
  readonly frames: readonly Frame[];
  readonly models: readonly string[];
  /** How its stream was captured. */
  readonly options: StreamOptions;
  /** How many runs of Lookout began to ask its models, counted before they are; a stop in order takes its own back. */
  readonly attempts: number;
}

/** Pixels of the frame: x1, y1, x2, y2. */
export type Box = readonly [number, number, number, number];

/** Pixels of the frame: x, y. */
export type Point = readonly [number, number];

/** Run lengths as COCO has them: column by column, and the first run is outside. */
export interface Mask {
  /** Height, width. */
  readonly size: readonly [number, number];
  /** COCO's compressed text, or the lengths themselves, which add up to height times width. */
  readonly counts: string | readonly number[];
}

export interface Keypoint {
  /** Pixels of the frame. */
  readonly x: number;
  readonly y: number;
  /** 0 to 1. */
  readonly confidence?: number;
  readonly name?: string;
}

/** A finding. What a runner says beyond class and confidence is kept in the record, and bounded in size. */
export interface Detection {
  readonly class: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** Absent: a classification of the whole frame. */
  readonly box?: Box;
  /** Names the thing across frames of its stream. */
  readonly track?: string | number;
  /** One ring of at least three points; the last is not the first again. What has several parts or holes is a mask. */
  readonly polygon?: readonly Point[];
  readonly mask?: Mask;
  readonly keypoints?: readonly Keypoint[];
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly embedding?: readonly number[];
  /** Whatever else the model knows. */
  readonly extra?: Json;
}

export interface ErrorInfo {
  /** One of the table in errors.ts. */
  readonly code: string;
  readonly message: string;
}

/** What a runner says of one frame: detections, or why there are none to be had. `index` is the frame's in the call. */
export type Prediction =
  | { readonly index: number; readonly detections: readonly Detection[] }
  | { readonly index: number; readonly error: ErrorInfo };

/** Why a model did not look at a frame. */
export type SkipReason =
  /** More frames came than it can look at. */
  | 'overloaded'
  /** Its turn had not come when the batch was waited for no longer. */
  | 'late'
  /** Nor was its runner up by then; or its runner ended too often, and nothing is tried for a while. */
  | 'not_ready' | 'resting'
  /** Frames of this camera ended its runner, and are tried only now and then. */
  | 'quarantined';

/** What one model says of one frame. */
export type Look =
  /** `inference_ms`: the frame's share of its call. */
  | { readonly detections: readonly Detection[]; readonly inference_ms: number; readonly identity: ModelIdentity }
  | { readonly error: ErrorInfo; readonly identity: ModelIdentity; /** What the runner's process said last. */ readonly last_words?: string }
  | { readonly skipped: SkipReason; readonly identity: ModelIdentity };

/** Of each model of a batch, by its name: a look for each of its frames, in their order. */
export type Answers = Readonly<Record<string, readonly Look[]>>;

/** Which model, in which environment, with which code: stands in every record. */
export interface ModelIdentity {
  readonly version: string;
  readonly runtime: string;
  /** Named by the runner once it is ready: which detector, which weights. */
  readonly detector: string | null;
  /** Of the environment. */
  readonly fingerprint: string | null;
  /** Hash of the model's code and weights. */
  readonly code: string | null;
}

/**
 * One record as it is written: one JSON object for one batch. `batch.id` is its idempotency key. Its whole shape is
 * written in record/schema.ts; here stands what other parts read of it, whatever the format.
 */
export interface BatchRecord {
  readonly schema_version: number;
  readonly batch: {
    readonly id: string;
    readonly session: string;
    readonly closed_by: ClosedBy;
    readonly started_at: string;
    readonly ended_at: string;
    readonly frames: readonly {
      readonly index: number;
      readonly captured_at: string;
      readonly file: string;
      readonly width: number;
      readonly height: number;
    }[];
    readonly snapshot: { readonly index: number; readonly width: number; readonly height: number } | null;
    /** Frames whose picture was gone or damaged when it was to be shown. */
    readonly damaged?: readonly number[];
  };
  readonly models: Readonly<Record<string, ModelIdentity & {
    /** Milliseconds, of all frames looked at. */
    readonly inference_ms: number | null;
    readonly error: ErrorInfo | null;
    /** How many frames it looked at. */
    readonly looked: number;
    readonly skipped: readonly { readonly frame: number; readonly reason: SkipReason }[];
    /** It changed within the batch: the identity is the newest. */
    readonly mixed?: true;
  }>>;
  readonly [section: string]: unknown;
}

// ── Contracts ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A picture in the consumer's folder. The consumer moves it away before it asks for the next one; what is left is removed. */
export interface PictureFile {
  readonly file: string;
  /** Its full length: where the disk was full the file is shorter. */
  readonly bytes: number;
}

/** The camera refused a picture or broke off, it came torn, or it was none. */
export type PictureFailure = 'picture_refused' | 'picture_torn' | 'picture_unreadable';

/** A picture as it leaves a source. */
export interface CapturedFrame extends FrameFacts {
  readonly picture: { readonly jpeg: Uint8Array } | PictureFile;
  /** Pictures that were due since the last one yielded and were let go because the consumer was slow. */
  readonly missed: number;
  /** Ticks since then to which the camera gave no picture, by reason; none: undefined. */
  readonly failed?: Readonly<Partial<Record<PictureFailure, number>>>;
  /** How the pictures are being made, in words: `keyframes`, `all but B-frames`, `all`. */
  readonly mode: string;
  /** By which the camera's clock is ahead of this machine's; none: it does not tell. */
  readonly clock_offset_seconds?: number | null;
  /** What the camera says that it has seen in it; absent: nothing. */
  readonly findings?: readonly Detection[];
}

/** A picture that a camera brings. */
export interface PushedPicture {
  /** A JPEG or a PNG. */
  readonly bytes: Uint8Array;
  /** RFC 3339. */
  readonly captured_at: string;
  /** Boxes are in pixels of the picture as it is looked at, upright. */
  readonly findings: readonly Detection[];
}

/** What becomes of it: it goes on to be stored and looked at, or it is let go, as its stream takes one in so many seconds. */
export type PushOutcome = 'taken' | 'let_go';

/**
 * How pictures are obtained. Yields the first good picture at or after each tick of the schedule. Ends by abort or by
 * throwing; never retries by itself; a slow consumer gets the newest picture. One object serves many cameras.
 */
export interface Source {
  /**
   * One connection. `stream`: one and the same object for all connections of a run; `folder` lends room for the picture files of
   * this one stream, whose names end in .tmp; those not yielded are removed.
   */
  frames(stream: StreamSpec, folder: string, signal: AbortSignal): AsyncIterable<CapturedFrame>;
  /**
   * Resolves when its peer shows that it is there, throws as `frames` does when not. Costs no more than a connection, so that
   * hundreds may be asked at once. Absent: that cannot be told beforehand.
   */
  knock?(stream: StreamSpec, signal: AbortSignal): Promise<void>;
  /**
   * Milliseconds of a processor that it takes to connect to the camera and to make its first picture: cameras connect as far
   * apart. Throws as `frames` does. null, or absent: an ffmpeg is started.
   */
  connectMs?(stream: StreamSpec): Promise<number | null>;
  /** Video of a camera whose `frames` are being taken, as it comes. Absent: none can be had without decoding. */
  readonly video?: VideoSource;
  /** Looks at a camera for some seconds. Throws as `frames` does. null: it must be looked at by `frames`. Absent: likewise. */
  probe?(stream: StreamSpec, signal: AbortSignal): Promise<Probe | null>;
  /** Its cameras bring their pictures: what they bring is given here. Absent: they are asked for them. */
  readonly push?: PushSource;
  /** It reads what is not a camera's: streams started over HTTP need leave by `allow_schemes`. */
  readonly needsLeave?: boolean;
  close(): Promise<void>;
}

/** What stands between the cameras that bring pictures and their streams. */
export interface PushSource {
  /**
   * Resolves once the picture went on, or was let go. Throws `not_a_picture`, `bad_request` where it is torn or cannot be
   * decoded, and `too_many_at_once` where its stream takes none now.
   */
  take(cameraId: string, picture: PushedPicture): Promise<PushOutcome>;
  /** Resolves when the camera brings something, or when the signal aborts. */
  called(cameraId: string, signal: AbortSignal): Promise<void>;
}

/** Copies of what cameras send. Throws `no_live_video` where there is no video or nothing is captured, `stream_ended` where the camera was lost. */
export interface VideoSource {
  /** Clips of events may have to begin earlier now, or there are none any more: of each camera's video as much is held as that takes. */
  rulesChanged(): void;
  /**
   * Fragmented MP4, from a key frame on, until the camera is lost, its pictures become other ones, or the signal aborts; who
   * takes it slowly skips pictures. Resolves with the first of it: iterate it, or abort.
   */
  live(cameraId: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Resolves when the file, which must not be there yet, is an MP4; throws also `stream_stalled`, `disk_full`, `disk_failed`. */
  clip(cameraId: string, file: string, wanted: ClipRequest): Promise<ClipFacts>;
  /** Copies what comes into the file, which must not be there yet. Resolves once it has begun; throws what `clip` throws. */
  record(cameraId: string, file: string, wanted: RecordingRequest): Promise<Recording>;
}

export interface RecordingRequest {
  readonly before_seconds: number;
  readonly longest_seconds: number;
}

/** Video that is being copied into a file: fragmented MP4, which can be read as far as it has come, whatever ends it. */
export interface Recording extends Omit<ClipFacts, 'seconds'> {
  /** Resolves when nothing more comes, with why it ended by itself, in words; null: it was stopped, or is as long as was asked. */
  readonly ended: Promise<string | null>;
  stop(): void;
}

/** What a camera sends, seen for some seconds. null: that cannot be told of it. */
export interface Probe {
  /** `libav`, or `ffmpeg`, captures it. */
  readonly engine: 'libav' | 'ffmpeg' | null;
  readonly codec: string | null;
  /** Pixels. */
  readonly width: number | null;
  readonly height: number | null;
  readonly frames_per_second: number | null;
  readonly bits_per_second: number | null;
  /** Seconds from key frame to key frame; null too where there are none. */
  readonly key_frame_seconds: number | null;
  /** Pictures come in another order than they are shown. */
  readonly b_frames: boolean | null;
  /** Pictures of which something was lost on the way. */
  readonly damaged: number | null;
  /** Seconds by which the camera's clock is ahead of this machine's. */
  readonly clock_offset_seconds: number | null;
  /** Which pictures would be decoded at the interval that was asked for, in words. */
  readonly capture_mode: string;
  /** Milliseconds of a processor for one captured picture. */
  readonly picture_ms: number | null;
  /** Seconds until the first came. */
  readonly first_picture_seconds: number;
  /** One of its pictures, as it would be captured; null: none could be made within the time. */
  readonly jpeg: Uint8Array | null;
}

/** Seconds of a camera's video about the moment of the request. */
export interface ClipRequest {
  readonly before_seconds: number;
  readonly after_seconds: number;
}

export interface ClipFacts {
  /** RFC 3339: when its first picture was taken. */
  readonly begins_at: string;
  readonly seconds: number;
  readonly codec: 'h264' | 'h265';
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Why it holds less than was asked for, in words; null: it holds all. */
  readonly reason: string | null;
}

/** Video that is kept. */
export interface Clip extends ClipFacts {
  readonly id: string;
  readonly camera_id: string;
  readonly bytes: number;
  /** `video`: copied as the camera sent it. `frames`: made of the frames that were captured. */
  readonly made_of: 'video' | 'frames';
  /** Ids of the events that it shows; none: somebody asked for it. */
  readonly events: readonly string[];
}

/** Whose frame it is, and how it came. */
export interface StreamRef {
  readonly camera_id: string;
  readonly session: string;
  readonly interval_seconds: number;
  readonly batch_size: number;
  /** `live`: as it was captured. `kept`: of a batch that had to wait for its models. `recovered`: of an earlier run, or replayed. */
  readonly from: 'live' | 'kept' | 'recovered';
}

/**
 * Whether a model can look now. `ready`: a runner is up. `not_ready`: it has to be set up or started first. `resting`:
 * its runner ended too often. `unable`: it cannot be set up or started.
 */
export type Readiness = 'ready' | 'not_ready' | 'resting' | 'unable';

export interface LaneStatus {
  readonly state: ModelState;
  readonly reason: string;
  readonly progress: string | null;
  readonly detector: string | null;
  readonly restarts: number;
  readonly successor: SuccessorStatus | null;
}

/** What is to take over from the runner that works, because the model's folder was edited; or why it cannot. */
export interface SuccessorStatus {
  readonly version: string;
  readonly state: 'provisioning' | 'failed';
  /** Which files were edited, and what went wrong. */
  readonly reason: string;
  /** Last line of its environment's progress. */
  readonly progress: string | null;
}

/** What a runner, by its number from 0, and all that it started hold of the machine's memory. null: that cannot be told. */
export interface RunnerMemory {
  readonly number: number;
  readonly memory_bytes: number | null;
}

/** A line that a model printed. */
export interface Print {
  readonly at: string;
  readonly text: string;
}

/** A model's door and its runners: where frames of many streams meet one model. The door is the only place that lets go. */
export interface Lane {
  readonly readiness: Readiness;
  /** Its answers came with the frames: those that found nothing are no reason for anybody to begin or to hurry. Absent: it looks. */
  readonly isInstant?: true;
  readonly identity: ModelIdentity;
  /** What runs, or is being set up; null: nobody has read it yet. */
  readonly model: Model | null;
  /** Begins provisioning if nobody has yet. */
  warm(): void;
  /**
   * Never throws for the model's failures: they are answers. An abort takes the frame out of the door and rejects with
   * the signal's reason; one that is in a call is answered all the same.
   */
  look(frame: Frame, stream: StreamRef, signal: AbortSignal): Promise<Look>;
  /** The frames of these keys are a whole batch now. */
  batchClosed(keys: readonly string[]): void;
  /** Live frames of the session stay at the door until `release`, from this one of their sequence on: batches of it that had to wait go first. */
  hold(session: string, from: number): void;
  release(session: string): void;
  /** Why a frame that nobody waits for any longer was not looked at. */
  readonly skipReason: SkipReason;
  status(): LaneStatus;
  /** Of the runners that are up. */
  memory(): Promise<readonly RunnerMemory[]>;
  close(): Promise<void>;
}

/** The pictures of a batch, by the index of their frame. */
export interface Pictures {
  /** Read at most once; null: it is gone, empty or torn. */
  read(index: number): Promise<Uint8Array | null>;
}

/** What travels from the answers to the record of a batch. */
export interface Work {
  readonly batch: Batch;
  readonly answers: Answers;
  readonly camera: Camera;
  readonly pictures: Pictures;
  /** The picture that the record shows, and its size in pixels; null: none. */
  readonly snapshot: { readonly index: number; readonly width: number; readonly height: number; readonly jpeg: Uint8Array } | null;
  /** Indexes of frames whose picture was wanted and could not be read. */
  readonly damaged: readonly number[];
  /** null: there is none yet, or nothing that is to be recorded. */
  readonly record: BatchRecord | null;
}

/** A step between the answers and the record. Throws when what it does may go better another time. */
export type Stage = (work: Work, signal: AbortSignal) => Promise<Work>;

/** Told what happens during long set-up, in words a user can read. */
export type Progress = (line: string) => void;

/** A model folder, read and checked. Paths are absolute. */
export interface Model {
  readonly name: string;
  readonly folder: string;
  readonly version: string;
  /** `python`, `node`, `command`: a file in src/runtimes. */
  readonly runtime: string;
  /** `lines`: the runner protocol over stdio. `oneshot`: one process per batch, the Flask orchestrator's contract. */
  readonly protocol: 'lines' | 'oneshot';
  /** The model's own program, given to the runtime's harness (`lines`) or run as it is (`oneshot`). */
  readonly entry: string;
  /** Further arguments of the entry; for `command` the words after the program. */
  readonly args: readonly string[];
  /** Files that say what the environment must hold: requirements, package.json, lock files. */
  readonly requirements: readonly string[];
  /** Where findings stand in the record, and whether they count as a complaint. null: under the model's own name. */
  readonly section: string | null;
  /** Classes kept, in the model's own words; null: all. */
  readonly classes: readonly string[] | null;
  /** Renames classes: the model's word to the record's. */
  readonly class_map: Readonly<Record<string, string>>;
  /** Findings below are left out; null: the model decides. */
  readonly confidence: number | null;
  readonly deadline_seconds: number | null;
  /** How long its set-up may take, once its environment is there; null: as long as usual. */
  readonly setup_deadline_seconds: number | null;
  /** `stream`: remembers earlier frames of a stream. */
  readonly state: 'none' | 'stream';
  /** What it is asked about: frames as they come, or whole batches once they are closed. */
  readonly look: 'frame' | 'batch';
  /** Frames of one call at the most. */
  readonly max_batch: number;
  /** Whether a call may hold frames of several streams and sizes; null: the runner says. */
  readonly mix: boolean | null;
  /** Runners behind its door. */
  readonly instances: number;
  /** Import probe run in the environment before its first use, as the runtime's interpreter takes it. */
  readonly probe: string | null;
  readonly weights: readonly Weights[];
  /** Where weights are looked for, in order: the user's folder, the model's own, the one for fetched files. */
  readonly weights_folders: readonly string[];
  /** Options handed to the model's program with every call. */
  readonly options: { readonly [key: string]: Json };
  /** Variables that its processes get beside those that everybody gets, as written: `${NAME}` takes one of Lookout's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Megabytes (of a million bytes) that a runner and what it started may hold; null: any. */
  readonly memory_mb: number | null;
  /** Threads that libraries are told to use; null: as they like. */
  readonly cpus: number | null;
  /** A virtual environment in the Flask orchestrator's folder that is used in place; null: none. */
  readonly adopted_venv: string | null;
  readonly origin: 'built-in' | 'user';
  /** Something a user should know, e.g. that the built-in model stands in; null: nothing. */
  readonly notice: string | null;
}

/** A file of weights. `required`: without it the model cannot run. */
export interface Weights {
  /** Relative to the model's folder. A `*` in the name matches any text. */
  readonly file: string;
  readonly url: string | null;
  readonly sha256: string | null;
  readonly required: boolean;
}

/** A prepared model: starts runners, says what they run in. */
export interface Prepared {
  readonly fingerprint: string | null;
  /** Its environment is in use: those that nobody has used for long go when others are built. */
  markUsed(): Promise<void>;
  /** `print` gets what the runner and its model print, by line; `watched`: somebody reads it as it comes, and errors need not quote it. */
  start(print: Progress, signal: AbortSignal, watched?: boolean): Promise<Runner>;
}

/** Provisions isolated environments. `prepare` is idempotent, may take minutes, and is cancelled by its signal. */
export interface Runtime {
  prepare(model: Model, progress: Progress, signal: AbortSignal): Promise<Prepared>;
}

/** A frame as runners see it: the only place where a path leaves the spool. */
export interface RunnerFrame {
  readonly index: number;
  /** The camera's session: what a model that keeps state keys it by. */
  readonly stream: string;
  /** Whole, from 0: rises within a stream in the order of capture, also when the clock is set back. */
  readonly sequence: number;
  readonly file: string;
  readonly captured_at: string;
  readonly width: number;
  readonly height: number;
}

/** What a runner said when it became ready. */
export interface Ready {
  readonly detector: string | null;
  readonly labels: readonly string[] | null;
  readonly device: string | null;
  /** Whether one call may hold frames of several streams; null: it did not say. */
  readonly mix: boolean | null;
  /** How many calls it takes at once. */
  readonly slots: number;
}

/** Does the inference, usually a warm subprocess. Throws `runner_failed` (this call) or `runner_died` (the process). */
export interface Runner {
  readonly ready: Ready;
  /** Resolves when the process has ended, however it ended, with the reason in words. Never rejects. */
  readonly ended: Promise<string>;
  predict(frames: readonly RunnerFrame[], options: Json, signal: AbortSignal): Promise<RunnerAnswer>;
  /** Bytes of its processes that are in memory; null: none are, or that cannot be told here. */
  memory(): Promise<number | null>;
  close(): Promise<void>;
}

export interface RunnerAnswer {
  readonly predictions: readonly Prediction[];
  /** Milliseconds of inference for the whole call as the runner measured it. */
  readonly inference_ms: number;
}

/** An append-only file, which holds each item exactly once. */
export interface AppendLog<Value> {
  /** The item is on the disk when it returns. A try that failed may be made again. */
  append(item: Value, signal: AbortSignal): Promise<void>;
  /** Whether an item of that id is among the last ones; asked for what a crash left open, and before a replay. */
  has(id: string): Promise<boolean>;
  /** Newest first. */
  read(query: RecordQuery): Promise<readonly Json[]>;
  /** For one who follows it. */
  reader(): LogReader;
  /** Told of each append. */
  onAppended(listener: () => void): void;
  /**
   * Files go for want of room from now on: none did before, as nobody had said what is needed. Those that are stay, as long as all
   * take no more than `bytes` beyond what they may. Resolves when those are gone that are too many now.
   */
  heldBy(holder: LogHolder): Promise<void>;
  close(): Promise<void>;
}

/** Who still needs old files of a log, each named by its first item. */
export interface LogHolder {
  readonly bytes: number;
  needs(volume: string): boolean;
  /** It was removed, with so many items. */
  gone(volume: string, items: number): void;
}

export interface EventQuery {
  readonly camera_id?: string | undefined;
  readonly rule?: string | undefined;
  readonly class?: string | undefined;
  readonly alert?: boolean | undefined;
  /** `open`: those that go on. */
  readonly state?: 'open' | 'ended' | undefined;
  /** RFC 3339: seen then or later. */
  readonly since?: string | undefined;
  /** `none`: those that have none. */
  readonly verdict?: Verdict | 'none' | undefined;
  /** Id of an event: those that began before it. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** How far somebody has read a log. */
export interface LogPlace {
  /** Id of the first item of the file that it is in, by which the file is known when it is renamed or gzipped; empty: at the beginning. */
  readonly volume: string;
  /** Items of that file that were read. */
  readonly items: number;
  /** Id and time of the last of these. */
  readonly last: string;
  readonly time: string | null;
}

export interface Stretch {
  readonly items: readonly Item[];
  /** Behind each of them. */
  readonly places: readonly LogPlace[];
  /** Behind all. */
  readonly place: LogPlace;
}

/** Reads a log from its beginning on. One reader, one place: its calls come one after the other. */
export interface LogReader {
  /** `now`: behind all that is there; or the first item at or after a time, RFC 3339. */
  resolve(from: string): Promise<LogPlace>;
  /** The items behind the place; none: there are no more. `mended`: the place was not found, and this is before the first item after its time. */
  read(place: LogPlace, wanted: { readonly items: number; readonly bytes: number; readonly pictures: boolean }): Promise<Stretch & { readonly mended: LogPlace | null }>;
  /** Items behind the place. */
  remaining(place: LogPlace): Promise<number>;
}

/** An item of a log, as those who follow it get it. */
export interface Item {
  readonly log: 'records' | 'events';
  /** Its idempotency key: of a record its batch's id, of an event its own and the number of the entry; of a record without an id the hash of its bytes. */
  readonly id: string;
  readonly camera_id: string;
  /** RFC 3339: when its first frame was captured, or its entry was made; null: it does not say. */
  readonly time: string | null;
  /** As it stands in the log; records without their base64 picture unless the follower asks for it. */
  readonly value: Readonly<Record<string, Json>>;
  /** Of the value as JSON. */
  readonly bytes: number;
  /** Somebody wants it brought, by a retry or a rewind, however old it is. */
  readonly asked?: true;
}

/** An item that the target does not take, whatever happens: bad data, too large, against a rule of its own. */
export interface Refused {
  readonly item: Item;
  /** In the target's words. */
  readonly reason: string;
}

/** What reads logs with a cursor of its own and delivers their items somewhere. Nobody waits for it. */
export interface Follower {
  /**
   * From now on it is there between items too, e.g. shows states and hears commands. Called once before the first `deliver`, and
   * not by whoever only tests it. Absent: there is nothing between items.
   */
  begin?(): void;
  /**
   * The target has all items when it returns, but those answered. In order; items may come again after a crash or a failure, with
   * the same ids. Throws when the target is away, `target_away` with `retry_after_seconds` in its details where it says when to come
   * again: the same items are brought again later, for as long as it takes.
   */
  deliver(items: readonly Item[], signal: AbortSignal): Promise<readonly Refused[]>;
  /** Whether the target hears of the item, if it is brought now: else its delivery does not show that the target is there. Absent: of each. */
  isSent?(item: Item): Promise<boolean>;
  /** Reaches the target once, and leaves nothing there that counts. Answers in words what was reached; throws as `deliver` does. */
  test(signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** What a follower may see and do of Lookout beside its items. */
export interface FollowerContext<Settings> {
  readonly name: string;
  readonly settings: Settings;
  readonly version: string;
  /** JPEG of an item: what the record shows, or an event's best picture. null: there is none, or not any more. */
  picture(item: Item): Promise<Uint8Array | null>;
  /** The file of an event's clip; null: likewise. */
  clip(item: Item): string | null;
  readonly lookout: Pick<Face, 'streams' | 'cameras' | 'latest' | 'change' | 'models'>;
  readonly log: { warn(message: string, facts?: object): void; info(message: string, facts?: object): void };
  /** Aborts when Lookout stops. */
  readonly signal: AbortSignal;
}

/** How a follower is doing. */
export interface FollowerStatus {
  readonly name: string;
  readonly type: string;
  /** Where it delivers to, in words. */
  readonly target: string;
  readonly logs: readonly Item['log'][];
  /** `waiting`: the target is away. */
  readonly state: 'idle' | 'delivering' | 'waiting';
  /** Of `waiting`, in the target's words. */
  readonly reason: string;
  readonly since: string | null;
  /** Items behind its cursor, also those that it will pass over; and how old the one is that is being delivered. */
  readonly lag_items: number;
  readonly lag_seconds: number;
  /** Since it was configured first. */
  readonly delivered: number;
  readonly lost: number;
  /** Refused by the target, until they are tried again. */
  readonly set_aside: number;
  readonly last_delivered_at: string | null;
}

/** What a file of the followers' family exports. */
export interface FollowerMember<Settings = Readonly<Record<string, unknown>>> {
  readonly summary: string;
  /** Of an item of `followers:` beside those that all have; one without a default has to be given. */
  readonly settings: Readonly<Record<string, Omit<SettingSchema, 'default'> & { readonly default?: unknown }>>;
  /** Settings that are shown to nobody. */
  readonly secrets: readonly string[];
  /** It is brought reviews of events too where it is to have alerts only. */
  readonly takesReviews?: true;
  /** It is brought one item at a time: what it has sent does not come again because of the next one. Absent: it takes many together. */
  readonly oneByOne?: true;
  /** Where it delivers to, without secrets: shown, and told apart by. */
  target(settings: Settings): string;
  /** What no schema says; null: nothing is wrong. */
  fault?(settings: Settings): string | null;
  create(context: FollowerContext<Settings>): Follower;
}

/**
 * An entry of the log of events: of an episode in which a class is seen by a camera, when it begins, while it goes on, and when
 * it has ended. The last entry of an id says all that is known of it.
 */
export interface EventEntry {
  readonly kind: 'event';
  /** UUIDv7. */
  readonly id: string;
  /** Of the entry, from 0. */
  readonly sequence: number;
  readonly state: 'begun' | 'going_on' | 'ended';
  /** RFC 3339: when the entry was made. */
  readonly at: string;
  readonly camera_id: string;
  /** Degrees, WGS 84; null: unknown. */
  readonly place: { readonly latitude: number; readonly longitude: number } | null;
  readonly rule: string;
  readonly section: string;
  readonly class: string;
  readonly models: readonly string[];
  readonly alert: boolean;
  /** Why it is none; null: it is. */
  readonly suppressed: Suppressed | null;
  /** RFC 3339: of the first and the last frame in which it was seen. */
  readonly began_at: string;
  readonly last_seen_at: string;
  /** null: it has not. */
  readonly ended_at: string | null;
  readonly ended_by: 'quiet' | 'not_looked' | 'max_seconds' | 'interrupted' | null;
  /** In which it was seen. */
  readonly frames: number;
  /** Of the frame with the highest confidence. */
  readonly best: {
    readonly captured_at: string;
    readonly confidence: number;
    /** Pixels; null: a classification. */
    readonly box: Box | null;
    /** Pixels of the picture. */
    readonly width: number;
    readonly height: number;
    /** Its name under data/events; null: it could not be kept. */
    readonly picture: string | null;
  };
  /** null: there is none, or not yet. */
  readonly clip: EventClip | null;
  /** Batches that it spans; null while it goes on. */
  readonly batches: readonly string[] | null;
}

/** Video that shows an event, and perhaps others of its camera. */
export interface EventClip extends Pick<Clip, 'id' | 'made_of' | 'begins_at'> {
  /** RFC 3339. */
  readonly ends_at: string;
}

/** Of a camera; in milliseconds since 1970. */
export interface Silence {
  readonly camera_id: string;
  /** null: of all. */
  readonly rule: string | null;
  readonly from: number;
  readonly until: number;
}

/** Why an event does not alert, or not yet. `rule`: its rule never does. */
export type Suppressed = 'cooldown' | 'hours' | 'daily_limit' | 'stationary' | 'silenced' | 'too_old' | 'rule';

/** What the log of events holds of a rule and camera whose alerts of the day were used up: at the first that is not given, and at the day's end. */
export interface EventSummary {
  readonly kind: 'summary';
  /** UUIDv7. */
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly camera_id: string;
  readonly rule: string;
  /** `YYYY-MM-DD`, of the settings' time zone. */
  readonly day: string;
  /** Events that would have alerted, until now. */
  readonly suppressed: number;
  readonly alerts: number;
  readonly when: 'first' | 'day_end';
}

/** What somebody says of an event, in the log of events: whether it was right to alert, and whether to keep it. The newest of an event counts. */
export interface EventReview {
  readonly kind: 'review';
  /** UUIDv7. */
  readonly id: string;
  /** Id of the event. */
  readonly event: string;
  /** RFC 3339. */
  readonly at: string;
  readonly camera_id: string;
  readonly rule: string;
  /** null: none. */
  readonly verdict: Verdict | null;
  /** What shows it goes last of all where room is short. */
  readonly keep: boolean;
}

export type Verdict = 'true_alarm' | 'false_alarm';

/** A line of the log of events. */
export type EventItem = EventEntry | EventSummary | EventReview;

/** What the newest entry of an event says, and the newest review. */
export type ReviewedEvent = EventEntry & Pick<EventReview, 'verdict' | 'keep'>;

/** What is not said stays as it is. */
export type ReviewRequest = Partial<Pick<EventReview, 'verdict' | 'keep'>>;

/** Which looks make events, when an episode begins and ends, and whether it alerts. null: any, or none. */
export interface EventRule {
  readonly name: string;
  readonly cameras: readonly string[] | null;
  readonly models: readonly string[] | null;
  /** null: with `models` all of theirs, else those that count as a complaint. */
  readonly sections: readonly string[] | null;
  readonly classes: readonly string[] | null;
  /** Findings below are none. */
  readonly confidence: number;
  /** It begins once `seen` of the last `of` frames that a model looked at show it. */
  readonly min_frames: { readonly seen: number; readonly of: number };
  readonly quiet_looks: number;
  /** null: three times the stream's interval, 10 at the least. */
  readonly quiet_seconds: number | null;
  readonly max_gap_seconds: number;
  readonly max_seconds: number;
  /** false: its events are logged and alert nobody. */
  readonly alert: boolean;
  readonly cooldown_seconds: number;
  /** Cron expression of the minutes in which it alerts. */
  readonly hours: string | null;
  readonly daily_limit: number | null;
  /** What stays where it has alerted alerts no more. */
  readonly stationary: boolean;
  /** Those that alert have a clip; also of streams that say so themselves. */
  readonly clips: boolean;
  /** How long before it was first seen, and after it was last seen, its clip begins and ends. */
  readonly pre_roll_seconds: number;
  readonly post_roll_seconds: number;
  readonly clip_max_seconds: number;
}

/** The log: the records of all batches. */
export type RecordLog = AppendLog<BatchRecord>;

// ── What the outside sees ────────────────────────────────────────────────────────────────────────────────────────────

/** `asleep`: it is on demand, and nobody asks. */
export type StreamState = 'starting' | 'provisioning' | 'running' | 'reconnecting' | 'failed' | 'asleep' | 'stopped';

/** Frames of one stream, or of all: captured = recorded + dead_lettered + dropped + in_spool, at any time. */
export interface Balance {
  readonly captured: number;
  readonly recorded: number;
  readonly dead_lettered: number;
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly in_spool: number;
}

export interface StreamStatus {
  /** With the JSON type it was sent with. */
  readonly camera_id: string | number;
  readonly session: string | null;
  readonly url: string;
  readonly models: readonly string[];
  readonly options: StreamOptions;
  readonly origin: 'yaml' | 'api' | 'demo';
  readonly enabled: boolean;
  readonly schedule: string | null;
  /** A capture is under way, whatever its models can do. */
  readonly capturing: boolean;
  readonly state: StreamState;
  /** Why it is in this state, in words. */
  readonly reason: string;
  readonly since: string;
  /** Since Lookout started. */
  readonly reconnects: number;
  readonly capture_mode: string | null;
  /** By which the camera's clock is ahead of this machine's, as it says itself: no time goes by it. null: it does not tell. */
  readonly camera_clock_offset_seconds: number | null;
  readonly last_frame_at: string | null;
  readonly last_frame_age_seconds: number | null;
  /** Frames in the open batch. */
  readonly open_batch: number;
  /** Batches that wait in the queue. */
  readonly queued: number;
  readonly books: Balance;
  /** Written since Lookout started. */
  readonly records: number;
  readonly last_record_at: string | null;
  readonly last_error: (ErrorInfo & { readonly at: string }) | null;
}

export type ModelState = 'idle' | 'provisioning' | 'ready' | 'busy' | 'failed';

export interface ModelStatus {
  readonly name: string;
  readonly version: string;
  readonly runtime: string;
  readonly section: string | null;
  readonly origin: 'built-in' | 'user';
  readonly state: ModelState;
  readonly reason: string;
  /** What somebody must put there before it can run, e.g. its weights; null: nothing. */
  readonly missing: string | null;
  /** Last line of the environment's progress while it is being built. */
  readonly progress: string | null;
  readonly detector: string | null;
  readonly restarts: number;
  readonly successor: SuccessorStatus | null;
  readonly runners: readonly RunnerMemory[];
  /** Batches of which it looked at a frame at least. */
  readonly batches: number;
  /** Of all frames that it looked at. */
  readonly inference_seconds: number;
  readonly looks: LookCounts;
  /** By camera. */
  readonly cameras: Readonly<Record<string, LookCounts>>;
}

/** Frames that a model was asked about since Lookout started. */
export interface LookCounts {
  readonly looked: number;
  readonly failed: number;
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
}

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

/** An alert as the push-frame server tells it. */
export interface OilSpillEvent {
  /** Local time without its zone, with microseconds. */
  readonly datetime: string;
  /** In data_dir. */
  readonly frame_path: string;
  /** `YYYYMMDD_HHMMSS` */
  readonly timestamp: string;
}

/** The camera of the push-frame server that Lookout stands in for. */
export interface PushCamera {
  /** Throws what pushes throw. */
  upload(bytes: Uint8Array, isSpill: boolean): Promise<'received' | 'no_picture'>;
  /** Whether it may be watched; uploads are recorded in any case. */
  setActive(isActive: boolean): Promise<void>;
  status(): { readonly stream_active: boolean; readonly oil_spill_detected: boolean; /** Seconds since 1970; 0: never. */ readonly last_frame_time: number; readonly oil_spill_events: number };
  /** Oldest first. */
  events(): readonly OilSpillEvent[];
  /** Its newest picture; null: there is none, or it is stopped. */
  latest(): Uint8Array | null;
  /** Parts of multipart/x-mixed-replace with the boundary `frame`, until it is stopped. Throws `not_running`. */
  watch(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What http may do and see: queries and a few commands. Errors are LookoutError with a status. */
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
  /** How those do who follow the logs. */
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
  /** Of the file systems that are written to. */
  storage(): Promise<readonly StorageStatus[]>;
}

/** A part of Lookout without which no records are written. */
export interface PartStatus {
  readonly part: 'server' | 'disk' | 'records';
  /** Why it is not ready; empty: it is. */
  readonly reasons: readonly string[];
}

export interface StorageStatus {
  readonly folder: 'data' | 'frames';
  /** Bytes that may still be written, and of the file system in all. */
  readonly free_bytes: number;
  readonly size_bytes: number;
  /** Files that may still be made; null: they are not numbered there. */
  readonly free_inodes: number | null;
}

export interface RecordQuery {
  /** Of a batch: its record only. */
  readonly id?: string | undefined;
  readonly camera_id?: string | undefined;
  readonly model?: string | undefined;
  /** RFC 3339: records whose first frame was captured at or after. */
  readonly since?: string | undefined;
  readonly limit: number;
  /** Keep the base64 pictures. */
  readonly pictures: boolean;
}

// ── Settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A stream in lookout.yaml. */
export interface ConfiguredStream {
  readonly camera_id: string | number;
  readonly url: string;
  readonly models?: readonly string[];
  readonly options?: Partial<StreamOptions>;
  readonly enabled?: boolean;
  /** Cron expression of the minutes in which it works, e.g. `* 8-17 * * 1-5`. */
  readonly schedule?: string;
}

/** An item of `followers:` in lookout.yaml, with the settings of its own type. */
export interface ConfiguredFollower {
  readonly name: string;
  /** A file of src/followers. */
  readonly type: string;
  readonly logs: readonly Item['log'][];
  readonly events: 'alerts' | 'all';
  /** Where it begins the first time: `now`, `beginning`, or a time. */
  readonly from: string;
  readonly pictures: boolean;
  readonly aside_max_bytes: number;
  readonly [setting: string]: unknown;
}

type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'null';

/** The part of JSON Schema that settings are written in. A default in `<…>` is worked out when settings are loaded. */
export interface SettingSchema {
  readonly description: string;
  readonly type: JsonType | readonly JsonType[];
  readonly default: unknown;
  readonly enum?: readonly (string | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly format?: string;
  readonly items?: object;
}

/** By name. */
export type SettingSchemas = Readonly<Record<string, SettingSchema>>;

/**
 * The settings that more than one part goes by, complete and checked. The schema in config/schema.ts is its twin:
 * descriptions, defaults, ranges. What one source, runtime or stage alone goes by stands in its file.
 */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly data_dir: string;
  readonly frames_dir: string;
  /** The user's models folder; the built-in one comes after it. */
  readonly models_dir: string;
  /** Folder of the Flask orchestrator that is continued in place; null: none. */
  readonly project: string | null;
  readonly camera_data: string;
  readonly predictions: string;
  /** Who may read new files; null: `user`, with a project `all`. */
  readonly share_files: 'user' | 'group' | 'all' | null;
  /** User that models and their builds run as, by name or number; null: Lookout's own. */
  readonly runner_user: string | null;
  /** Asked of every client when set. */
  readonly token: string | null;
  readonly insecure: boolean;
  readonly allowed_hosts: readonly string[];
  readonly allow_schemes: readonly string[];
  /** Host names, addresses, networks. */
  readonly allow_hosts: readonly string[];
  readonly tls: string;
  readonly interval_seconds: number;
  readonly batch_size: number;
  /** null: twice size times interval, at least 60. */
  readonly batch_deadline_seconds: number | null;
  readonly capture_mode: CaptureMode;
  readonly transport: 'tcp' | 'udp';
  /** What captures RTSP cameras over TCP. */
  readonly capture_engine: 'auto' | 'libav' | 'ffmpeg';
  /** 1 to 100, as OpenCV counts it. */
  readonly jpeg_quality: number;
  /** Pixels; null: as the camera sends. */
  readonly max_width: number | null;
  /** null: `animals`, and with record_format v3 `animals, potholes, garbage`. */
  readonly default_models: readonly string[] | null;
  readonly model_deadline_seconds: number;
  readonly model_retries: number;
  readonly runner_restarts: number;
  readonly runner_restart_window_seconds: number;
  readonly runner_idle_seconds: number;
  readonly join_deadline_seconds: number;
  readonly offline: boolean;
  readonly queue_per_stream: number;
  readonly max_streams: number;
  readonly queue_total: number;
  /** Of earlier versions; it has no effect. */
  readonly batches_at_once: number;
  readonly record_format: 'v1' | 'v2' | 'v3';
  readonly dead_letter_max_bytes: number;
  readonly clips_max_bytes: number;
  /** null: a twentieth of the file system, 1 GB at the most. */
  readonly min_free_bytes: number | null;
  /** IANA name; `system`: the host's. */
  readonly time_zone: string;
  /** `auto`, an interface's name, or what records are to say: an address, or a host name with a dot. */
  readonly host_ip: string;
  readonly format: 'json' | 'ndjson';
  /** Bytes; null: 400 MB for files that Lookout began, never for an adopted one. 0: never. */
  readonly rotate_bytes: number | null;
  readonly rotate_gzip: boolean;
  /** Of the current file and rotated ones; null: none is ever deleted. */
  readonly records_max_bytes: number | null;
  readonly grace_seconds: number;
  readonly log_level: 'error' | 'warn' | 'info' | 'debug';
  readonly log_format: 'text' | 'json';
  /** Of one picture that a camera pushes. */
  readonly push_max_bytes: number;
  /** Camera of the push-frame server that Lookout stands in for; null: none. */
  readonly push_camera: string | null;
  /** What that camera and who starts and stops it send. */
  readonly camera_password: string | null;
  /** Who may watch it; null: everybody where no token is set. */
  readonly push_camera_viewers: 'open' | 'token' | null;
  readonly streams: readonly ConfiguredStream[];
  readonly events: readonly (Partial<EventRule> & Pick<EventRule, 'name'>)[] | null;
  readonly max_alert_age_seconds: number;
  readonly event_pictures_max_bytes: number;
  readonly followers: readonly ConfiguredFollower[];
  /** Bytes of records and events beyond what they may have, which stay for followers that have not delivered them. */
  readonly followers_hold_bytes: number;
}
