/** What models say of frames, and which models these were. */
import type { Detection } from './finding.ts';

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
