/** Loads a family of interchangeable parts: every file of a folder, named by its file name. */
import { readdir } from 'node:fs/promises';
import { basename, extname } from 'node:path';

/** What each file of a family exports: what it is, in words, and a function that makes the part. */
export interface Member<Context, Part> {
  readonly summary: string;
  readonly create: (context: Context) => Part;
}

/** The members of `folder` (a URL ending in a slash) by file name, sorted. Runs from src (.ts) and from dist (.js) alike. */
export async function loadFamily<M extends Member<never, unknown>>(folder: URL): Promise<ReadonlyMap<string, M>> {
  const own = extname(import.meta.url);
  const files = (await readdir(folder)).filter((file) => extname(file) === own && !file.endsWith('.d.ts')).sort();
  const members = await Promise.all(
    files.map(async (file) => [basename(file, own), (await import(new URL(file, folder).href)) as M] as const),
  );
  return new Map(members);
}
