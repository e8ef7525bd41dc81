/** Brings dead letters, or stored frames, onto the road of a batch again. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LookoutError } from '../errors.ts';
import { namesIn } from '../lib/files.ts';
import { CAMERA_MODEL } from '../words/push.ts';
import { USUAL_STREAM_OPTIONS } from '../words/stream-options.ts';
import type { Batch, Frame } from '../types.ts';
import type { Books } from '../store/books.ts';
import type { DeadLetter, DeadLetters } from '../store/dead-letters.ts';
import type { Pipeline } from './pipeline.ts';
import { batchOf, type Spool } from '../store/spool.ts';

export interface ReplayParts {
  readonly spool: Spool;
  readonly books: Books;
  readonly deadLetters: DeadLetters;
  readonly pipeline: Pipeline;
}

/** What is to become of a letter: it is a batch on its road now, or its own batch has a record. */
export type Replayed = Batch | 'already recorded' | 'kept';

/**
 * A dead letter becomes a batch of the spool again, with its own id, so that it is recorded once. The order survives a
 * crash: until the books say so, the manifest counts as settled and is swept; afterwards the letter is what is swept.
 * Of a batch that was recorded without some of its models the frames are kept until other models are named.
 */
export async function replayLetter(letter: DeadLetter, models: readonly string[] | null, parts: ReplayParts): Promise<Replayed> {
  const { spool, books, deadLetters, pipeline } = parts;
  if (letter.recorded) return models ? deadLetters.holding(letter.batch, () => replayCopies(letter, models, parts)) : 'kept';
  // What the camera said itself stands in no record yet.
  const said = letter.batch.models.filter((model) => model === CAMERA_MODEL);
  const batch: Batch = { ...letter.batch, models: models ? [...new Set([...models, ...said])] : letter.batch.models, attempts: 0 };
  if (await pipeline.isRecorded(batch.id)) {
    await deadLetters.remove(batch);
    return 'already recorded';
  }
  await deadLetters.holding(batch, async () => {
    if (await deadLetters.get(batch.id) === null) throw new LookoutError('not_found', 'its letter was let go meanwhile for want of room');
    // Of so old a batch the books remember the numbers alone.
    if (!books.settled(batch.id)) await books.settle({ camera_id: batch.camera_id, batch: batch.id, outcome: 'dead_lettered', frames: 0 });
    await spool.putBack(batch, deadLetters.folderOf(batch));
    await books.reopen(batch);
    await deadLetters.remove(batch);
  });
  await pipeline.submit(batch, 'replayed');
  return batch;
}

/** The frames of a recorded batch as a new one. Once that is in the spool, the letter is one copy too many. */
async function replayCopies({ batch }: DeadLetter, models: readonly string[], parts: ReplayParts): Promise<Batch> {
  const folder = parts.deadLetters.folderOf(batch);
  const there = await namesIn(folder);
  const stored = batch.frames.map(({ key, ...facts }) => ({ ...facts, file: join(folder, basename(key)) })).filter(({ file }) => there.includes(basename(file)));
  if (stored.length === 0) throw new LookoutError('bad_frame', `none of its frames is left in ${folder}`);
  const again = await replayFrames(batch.camera_id, stored, models, parts);
  await parts.deadLetters.remove(batch);
  return again;
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
  const session = await spool.open({ camera_id, models, options: { ...USUAL_STREAM_OPTIONS, batch_size: stored.length } });
  const frames: Frame[] = [];
  for (const { file, ...facts } of stored) {
    frames.push(await spool.put(session, { ...facts, picture: { jpeg: await readFile(file) } }));
    books.captured(camera_id);
  }
  const batch = batchOf(session, frames, 'recovered');
  await spool.writeManifest(batch);
  await pipeline.submit(batch, 'replayed');
  await spool.end(session.name);
  return batch;
}
