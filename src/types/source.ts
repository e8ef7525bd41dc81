/** Where pictures come from: the contract of the sources. */
import type { FrameFacts } from './batch.ts';
import type { Detection } from './finding.ts';
import type { StreamSpec } from './stream.ts';
import type { Probe, VideoSource } from './video.ts';

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
