/** A model's door and its runners: the contract of inference. */
import type { Frame } from './batch.ts';
import type { Look, ModelIdentity, SkipReason } from './look.ts';
import type { Model } from './model.ts';

/** Whose frame it is, and how it came. */
export interface StreamRef {
  readonly camera_id: string;
  readonly session: string;
  readonly interval_seconds: number;
  readonly batch_size: number;
  /** `live`: as it was captured. `kept`: of a batch that had to wait for its models. `recovered`: of an earlier run. `replayed`: a dead letter, or stored frames. */
  readonly from: 'live' | 'kept' | 'recovered' | 'replayed';
}

/**
 * Whether a model can look now. `ready`: a runner is up. `not_ready`: it has to be set up or started first. `resting`:
 * its runner ended too often. `unable`: it cannot be set up or started.
 */
export type Readiness = 'ready' | 'not_ready' | 'resting' | 'unable';

export type ModelState = 'idle' | 'provisioning' | 'ready' | 'busy' | 'failed';

export interface LaneStatus {
  readonly state: ModelState;
  readonly reason: string;
  readonly progress: string | null;
  readonly detector: string | null;
  /** Where its runners that are up compute, as they say: `cpu`; several where they differ. null: none is up, or none says it. */
  readonly device: string | null;
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
