/** Brings dead letters, or stored frames, onto the road of a batch again. */
import { join } from 'node:path';
import type { Batch, Frame } from '../types.ts';
import type { Books } from './books.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import { batchId } from './names.ts';
import type { Pipeline } from './pipeline.ts';
import type { Spool } from './spool.ts';

export interface ReplayParts {
  readonly spool: Spool;
  readonly books: Books;
  readonly deadLetters: DeadLetters;
  readonly pipeline: Pipeline;
  /** Whether a record of this batch is written already. */
  readonly recorded: (batchId: string) => Promise<boolean>;
}

/**
 * A dead letter becomes a batch of the spool again, with its own id, so that it is recorded once. The order survives a
 * crash: until the books say so, the manifest counts as settled and is swept; afterwards the letter is what is swept.
 */
export async function replayLetter(letter: DeadLetter, models: readonly string[] | null, parts: ReplayParts): Promise<'submitted' | 'already recorded'> {
  const { spool, books, deadLetters, pipeline } = parts;
  const batch: Batch = { ...letter.batch, models: models ?? letter.batch.models, attempts: {} };
  if (letter.recorded || await parts.recorded(batch.id)) {
    await deadLetters.remove(batch);
    return 'already recorded';
  }
  // Of so old a batch the books remember the numbers alone.
  if (!books.settled(batch.id)) await books.settle({ camera_id: batch.camera_id, batch: batch.id, outcome: 'dead_lettered', frames: 0 });
  await spool.adopt(batch, join(deadLetters.folder, batch.id));
  await books.reopen(batch);
  await deadLetters.remove(batch);
  await pipeline.submit(batch, true);
  return 'submitted';
}

export interface StoredFrame {
  readonly file: string;
  readonly captured_at: string;
  readonly width: number;
  readonly height: number;
}

/** Stored pictures, captured once more as one new batch of a camera. The files stay where they are. */
export async function replayFrames(camera_id: string, stored: readonly StoredFrame[], models: readonly string[], parts: ReplayParts): Promise<Batch> {
  const { spool, books, pipeline } = parts;
  const session = await spool.open({ camera_id, models, options: { batch_size: stored.length } });
  const frames: Frame[] = [];
  for (const { file, ...facts } of stored) {
    frames.push(await spool.put(session, { ...facts, captured_at: timeOfItsOwn(facts.captured_at, frames), picture: { file } }));
    books.captured(camera_id);
  }
  const batch: Batch = { id: batchId(session.name, frames[0]?.captured_at ?? ''), camera_id, session: session.name, closed_by: 'recovered', frames, models, attempts: {} };
  await pipeline.submit(batch, true);
  return batch;
}

/** Frames are named by their time, and files that were copied together may all have the same. */
function timeOfItsOwn(captured_at: string, others: readonly Frame[]): string {
  if (!others.some((other) => other.captured_at === captured_at)) return captured_at;
  return timeOfItsOwn(new Date(Date.parse(captured_at) + 1).toISOString(), others);
}
