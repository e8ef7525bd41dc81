/** A look at a model's folder: what is to run, and the hash of its code and weights. */
import { LookoutError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Model } from '../types.ts';

export interface FolderParts {
  /** Reads the model's folder anew. */
  read(): Promise<Model>;
  /** Hash of the model's code and weights. */
  codeHash(model: Model): Promise<string>;
}

export interface Seen {
  readonly model: Model;
  readonly code: string | null;
}

/** A file that is still being copied into the folder is another one after this long. */
const SETTLE_MS = 1000;

export const isSame = (one: Seen, other: Seen): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Next to what `runs`, if anything does, a change counts once it is over. Throws where the folder cannot be used yet. */
export async function lookAtFolder(parts: FolderParts, runs: Seen | null, clock: Clock, signal: AbortSignal): Promise<Seen> {
  const seen = await readOnce(parts);
  if (runs === null || isSame(seen, runs)) return seen;
  await clock.sleep(SETTLE_MS, signal);
  const settled = await readOnce(parts);
  if (!isSame(settled, seen)) throw new LookoutError('model_unavailable', 'something in it is still being written');
  return settled;
}

async function readOnce(parts: FolderParts): Promise<Seen> {
  const model = await parts.read();
  return { model, code: await parts.codeHash(model) };
}
