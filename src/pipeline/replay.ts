/** Brings dead letters, or stored frames, onto the road of a batch again. */
import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { linkOrCopy } from '../lib/files.ts';
import type { Batch, Frame } from '../types.ts';
import type { Books } from './books.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import { batchId, frameFile, sessionName } from './names.ts';
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
  const { spool, books, deadLetters } = parts;
  const batch: Batch = { ...letter.batch, models: models ?? letter.batch.models, attempts: {} };
  if (letter.recorded || await parts.recorded(batch.id)) {
    await deadLetters.remove(batch);
    return 'already recorded';
  }
  await spool.adopt(batch);
  await spool.writeManifest(batch);
  for (const { key } of batch.frames) await linkOrCopy(join(deadLetters.folder, batch.id, basename(key)), spool.path(key));
  await books.reopen(batch);
  await deadLetters.remove(batch);
  await parts.pipeline.submit(batch, true);
  return 'submitted';
}

export interface StoredFrame {
  readonly file: string;
  readonly captured_at: string;
  readonly width: number;
  readonly height: number;
}

/** Stored pictures as one new batch of a camera. The files stay where they are. */
export async function replayFrames(camera_id: string, stored: readonly StoredFrame[], models: readonly string[], parts: ReplayParts): Promise<Batch> {
  const { spool, books } = parts;
  const session = sessionName(camera_id);
  const frames: Frame[] = stored.map(({ captured_at, width, height }) => ({ key: `${session}/${frameFile(camera_id, captured_at)}`, captured_at, width, height }));
  const batch: Batch = { id: batchId(session, frames[0]?.captured_at ?? ''), camera_id, session, closed_by: 'recovered', frames, models, attempts: {} };
  await spool.adopt(batch);
  await mkdir(join(spool.folder, session), { recursive: true });
  for (const [index, { key }] of frames.entries()) await copyFile(stored[index]?.file ?? '', spool.path(key));
  books.captured(camera_id, frames.length);
  await parts.pipeline.submit(batch, true);
  return batch;
}
