/** What Lookout and a capture host say to each other: a JSON object in a line. Addresses and passwords travel in no other way. */
import type { ErrorCode } from '../../errors.ts';
import { jsonLine } from '../../lib/json-line.ts';
import type { Bounds } from '../../lib/reach.ts';
import type { CaptureMode, Probe, RecordingRequest } from '../../types.ts';

/** One camera, and what is wanted of it. */
export interface FeedRequest {
  readonly url: string;
  readonly tls: string;
  readonly video_track: number;
  readonly interval_seconds: number;
  readonly capture_mode: CaptureMode;
  readonly jpeg_quality: number;
  readonly max_width: number | null;
  /** Where its address may lead; null: anywhere. */
  readonly bounds: Bounds | null;
  /** Its pictures go there. */
  readonly folder: string;
  /** Of its video, the seconds that are kept for clips; null: none are. */
  readonly pre_roll_seconds: number | null;
}

/** A picture that lies in the feed's folder. */
export interface FeedPicture {
  readonly file: string;
  readonly bytes: number;
  /** When it was taken, by the clock that processes share and nobody sets: who reads this may be late. */
  readonly taken_machine_ms: number;
  readonly width: number;
  readonly height: number;
  readonly mode: string;
  /** Pictures that were due before it and let go: nobody's turn to decode them came in time. */
  readonly missed: number;
  /** By which the camera's clock is ahead of this machine's; null: it does not tell. */
  readonly clock_offset_seconds: number | null;
}

/** Video to be copied into a file, which may not be there yet. */
export interface ClipOrder {
  readonly file: string;
  readonly before_seconds: number;
  readonly after_seconds: number;
}

export interface ClipMade {
  /** When its first picture was taken, likewise. */
  readonly begun_machine_ms: number;
  readonly seconds: number;
  readonly codec: 'h264' | 'h265';
  readonly width: number;
  readonly height: number;
  /** Why it holds less than was asked for; null: it holds all. */
  readonly reason: string | null;
}

/** Likewise, as it comes. */
export interface RecordOrder extends RecordingRequest {
  readonly file: string;
}

export type RecordBegun = Omit<ClipMade, 'seconds'>;

export interface RecordEnded {
  /** As `Recording` has it. */
  readonly ended: string | null;
}

/** What was seen of a camera. */
export type Probed = Omit<Probe, 'engine' | 'jpeg'> & {
  /** JPEG, base64. */
  readonly picture: string | null;
};

export interface FeedFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** The system's code underneath: ENOSPC. */
  readonly cause?: string | undefined;
  /** Nothing is wrong with the camera: ffmpeg can read what this host cannot. */
  readonly unsupported: boolean;
}

/** Feeds, turns, watches, clips and recordings have numbers; none is given twice. */
export type ToHost =
  | { readonly do: 'open'; readonly feed: number; readonly request: FeedRequest }
  /** Looks at a camera for some seconds; answered, and ended early by `close`. */
  | { readonly do: 'probe'; readonly feed: number; readonly request: FeedRequest }
  | { readonly do: 'close'; readonly feed: number }
  /** Its video is to come through the pipe of video, under this number; in place of what did. */
  | { readonly do: 'watch'; readonly feed: number; readonly watch: number }
  | { readonly do: 'unwatch'; readonly feed: number }
  /** So many seconds of its video are to be kept from now on; null: none. */
  | { readonly do: 'keep'; readonly feed: number; readonly seconds: number | null }
  /** Answered under the clip's number. */
  | { readonly do: 'clip'; readonly feed: number; readonly clip: number; readonly order: ClipOrder }
  /** Answered under the number of the recording once it has begun, and under `end` when it has ended. */
  | { readonly do: 'record'; readonly feed: number; readonly recording: number; readonly end: number; readonly order: RecordOrder }
  | { readonly do: 'stop'; readonly recording: number }
  /** Who asked for it may use a processor. */
  | { readonly do: 'decode'; readonly turn: number };

export type Answer = Probed | ClipMade | RecordBegun | RecordEnded | FeedFailure;

export type FromHost =
  /** Asks for a turn to decode; each has a number. */
  | { readonly is: 'waiting'; readonly turn: number }
  /** Gives the turn back, or no longer waits for it. */
  | { readonly is: 'rested'; readonly turn: number }
  | { readonly is: 'picture'; readonly feed: number; readonly picture: FeedPicture }
  /** To what was asked under this number. */
  | { readonly is: 'answer'; readonly to: number; readonly answer: Answer }
  /** null: it was closed. */
  | { readonly is: 'ended'; readonly feed: number; readonly failure: FeedFailure | null };

/** What has not ended by then hangs, in native code or on a disk: the host is killed, and its other cameras connect again with its successor. */
export const HUNG_MS = 30_000;
/** A host's file descriptor of marks: what it is about to do stands there when it dies in it. */
export const MARKS_FD = 3;
/** Video of cameras that are watched comes through this one. */
export const VIDEO_FD = 4;
/** One mark for each turn that a host has, of so many bytes. */
export const MARK_BYTES = 64;

export function lineOf(message: ToHost | FromHost): string {
  return jsonLine(message);
}
