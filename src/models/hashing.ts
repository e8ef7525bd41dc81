/** Hashes of files and folders, the same wherever the folder lies. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isFile } from './paths.ts';

/** Above this size a file counts by name, size and time of change: reading gigabytes of weights would take seconds. */
const READ_AT_MOST = 16 * 1024 * 1024;

/** What tools leave behind in a folder: it changes without anything having been changed. */
const LEFT_BEHIND = /^(\..*|__pycache__|node_modules|venv|build|runs|logs|.*\.egg-info|.*\.log)$/;

/** 16 hexadecimal digits for these words. */
export function shortHash(words: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 16);
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** What `path` holds, as words: one for each file, named relative to `base`; one that says `missing` when there is none. */
export async function contents(path: string, base: string): Promise<readonly string[]> {
  const name = relative(base, path);
  const facts = await stat(path).catch(() => null);
  if (facts === null) return [`${name} missing`];
  if (facts.isDirectory()) return (await Promise.all((await filesUnder(path)).map((file) => contents(file, base)))).flat();
  if (facts.size > READ_AT_MOST) return [`${name} ${facts.size} bytes of ${facts.mtimeMs}`];
  return [`${name} ${await sha256(path)}`];
}

/** Every file below a folder, sorted, without hidden ones and what tools leave behind. Links to folders are not followed. */
async function filesUnder(folder: string): Promise<readonly string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !LEFT_BEHIND.test(name));
  const files = await Promise.all(entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesUnder(path);
    return (await isFile(path)) ? [path] : [];
  }));
  return files.flat().sort();
}
