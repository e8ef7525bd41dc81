/** What Lookout and a capture host say to each other: a JSON object in a line. Addresses and passwords travel in no other way. */
import type { ErrorCode } from '../../errors.ts';
import type { Bounds } from '../../lib/reach.ts';
import type { CaptureMode } from '../../types.ts';

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
}

/** A picture that lies in the feed's folder. */
export interface FeedPicture {
  readonly file: string;
  readonly bytes: number;
  /** How long ago it was taken: both processes' clocks may be set, but each by itself. */
  readonly age_ms: number;
  readonly width: number;
  readonly height: number;
  readonly mode: string;
  /** Pictures that were due before it and let go: nobody's turn to decode them came in time. */
  readonly missed: number;
}

export interface FeedFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** The system's code underneath: ENOSPC. */
  readonly cause?: string | undefined;
  /** Nothing is wrong with the camera: ffmpeg can read what this host cannot. */
  readonly unsupported: boolean;
}

export type ToHost =
  | { readonly do: 'open'; readonly feed: number; readonly request: FeedRequest }
  | { readonly do: 'close'; readonly feed: number }
  /** Who asked for it may use a processor. */
  | { readonly do: 'decode'; readonly turn: number };

export type FromHost =
  /** Asks for a turn to decode; each has a number. */
  | { readonly is: 'waiting'; readonly turn: number }
  /** Gives the turn back, or no longer waits for it. */
  | { readonly is: 'rested'; readonly turn: number }
  | { readonly is: 'picture'; readonly feed: number; readonly picture: FeedPicture }
  /** null: it was closed. */
  | { readonly is: 'ended'; readonly feed: number; readonly failure: FeedFailure | null };

/** A host's file descriptor of marks: what it is about to do stands there when it dies in it. */
export const MARKS_FD = 3;
/** One mark for each turn that a host has, of so many bytes. */
export const MARK_BYTES = 64;

export function lineOf(message: ToHost | FromHost): string {
  return `${JSON.stringify(message)}\n`;
}
