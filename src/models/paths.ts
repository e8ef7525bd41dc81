/** Questions about paths that may lead nowhere. */
import { access, stat } from 'node:fs/promises';

export async function isFile(path: string): Promise<boolean> {
  return stat(path).then((facts) => facts.isFile(), () => false);
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then((facts) => facts.isDirectory(), () => false);
}

/** Those of the paths that are there. */
export async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(paths.map((path) => access(path).then(() => path, () => null)));
  return found.filter((path) => path !== null);
}
