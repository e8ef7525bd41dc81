/** Questions about paths that may lead nowhere. */
import { stat } from 'node:fs/promises';
import { errorInfo, LookoutError } from '../errors.ts';
import { hasCode } from '../lib/files.ts';

export async function isFile(path: string): Promise<boolean> {
  return stat(path).then((facts) => facts.isFile(), () => false);
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then((facts) => facts.isDirectory(), () => false);
}

/** Those of the paths that are there. Throws `model_unavailable` where that cannot be told: what is closed to Lookout is not absent. */
export async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(paths.map((path) => stat(path).then(() => path, (error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw new LookoutError('model_unavailable', `${path} cannot be read: ${errorInfo(error).message}; let Lookout's user read it`, { cause: error });
  })));
  return found.filter((path) => path !== null);
}
