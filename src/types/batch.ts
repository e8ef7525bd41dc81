/** Frames, and the batches that they make. */
import type { Detection } from './finding.ts';
import type { StreamOptions } from './stream.ts';

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
