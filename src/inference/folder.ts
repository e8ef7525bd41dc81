/** A look at a model's folder. */
import type { ModelFiles } from '../models/fingerprint.ts';
import type { Model } from '../types.ts';
import type { Seen } from './edits.ts';

export interface FolderParts {
  /** Reads the model's folder anew. */
  read(): Promise<Model>;
  /** What the model is made of. */
  files(model: Model): Promise<ModelFiles>;
}

/** How often it is looked at. */
export const LOOK_MS = 2000;

/** Throws where the folder cannot be used. */
export async function lookAtFolder(parts: FolderParts): Promise<Seen> {
  const model = await parts.read();
  return { model, ...(await parts.files(model)) };
}

/** With the files that have appeared since: weights may have been fetched while an environment was prepared. */
export async function withNewFiles(seen: Seen, parts: FolderParts): Promise<Seen> {
  const { files, declared } = await parts.files(seen.model);
  return { ...seen, files: new Map([...files, ...seen.files]), declared };
}
