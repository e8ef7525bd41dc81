/** The steps between the answers and the record: the contract of the stages. */
import type { Batch } from './batch.ts';
import type { Answers } from './look.ts';
import type { BatchRecord } from './record.ts';
import type { Camera } from './stream.ts';

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
