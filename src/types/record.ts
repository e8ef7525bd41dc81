/** The record of a batch, as other parts read it, and what may be asked of records. */
import type { ClosedBy } from './batch.ts';
import type { ErrorInfo, ModelIdentity, SkipReason } from './look.ts';

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
