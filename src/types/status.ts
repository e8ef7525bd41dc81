/** How streams, models and the parts of Lookout are doing. */
import type { ModelState, RunnerMemory, SuccessorStatus } from './lane.ts';
import type { Item } from './log.ts';
import type { ErrorInfo, SkipReason } from './look.ts';
import type { StreamOptions } from './stream.ts';

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
  /** A picture that is older is an old one: a new one is missed. */
  readonly late_after_seconds: number;
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
  /** Where its runners that are up compute, as they say; null: none is up, or none says it. */
  readonly device: string | null;
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

/** How a follower is doing. */
export interface FollowerStatus {
  readonly name: string;
  readonly type: string;
  /** Where it delivers to, in words. */
  readonly target: string;
  readonly logs: readonly Item['log'][];
  /** `waiting`: the target is away, or it cannot go on here, e.g. on a full disk. */
  readonly state: 'idle' | 'delivering' | 'waiting';
  /** Of `waiting`, in words. */
  readonly reason: string;
  readonly since: string | null;
  /** Items behind its cursor, also those that it will pass over; and how old the one is that is being delivered. */
  readonly lag_items: number;
  readonly lag_seconds: number;
  /** Since it was configured first. */
  readonly delivered: number;
  /** Went from the log before they were delivered, or cannot be read there. */
  readonly lost: number;
  /** Refused by the target, until they are tried again. */
  readonly set_aside: number;
  readonly last_delivered_at: string | null;
}
