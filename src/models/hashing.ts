/** Hashes of files and folders, the same wherever the folder lies. */
import { createHash } from 'node:crypto';
import { createReadStream, type Dirent, type Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasCode } from '../lib/files.ts';
import { isTransient } from '../lib/transient.ts';
import { existing, isFile } from './paths.ts';

/** Above this size a file counts by name, size and time of change: reading gigabytes of weights would take seconds. */
const READ_AT_MOST = 16 * 1024 * 1024;

/** What tools leave behind in a folder: it changes without anything having been changed. */
const LEFT_BEHIND = /^(\..*|__pycache__|node_modules|venv|build|runs|logs|.*\.egg-info|.*\.log)$/;

/** 16 hexadecimal digits for these words. */
export function shortHash(words: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 16);
}

/** A file read once is not read again until its facts say that it may have changed. */
const known = new Map<string, { readonly facts: string; readonly hash: string }>();
const KNOWN_AT_MOST = 50_000;
/** Clocks of file systems are coarse: a file that changed just now may change again without its times telling. */
const SETTLED_MS = 2000;
/** A folder of thousands of pictures would use up the process's open files. */
const AT_ONCE = 8;

export async function sha256(file: string, signal: AbortSignal): Promise<string> {
  return sha256Of(file, await stat(file), signal);
}

async function sha256Of(file: string, { size, mtimeMs, ctimeMs, ino }: Stats, signal?: AbortSignal): Promise<string> {
  const facts = [size, mtimeMs, ctimeMs, ino].join();
  const before = known.get(file);
  if (before?.facts === facts) return before.hash;
  // As of before the reading: what changes meanwhile is new at the next look.
  const settled = Date.now() - ctimeMs > SETTLED_MS;
  const sum = createHash('sha256');
  await pipeline(createReadStream(file), sum, { signal });
  const hash = sum.digest('hex');
  if (known.size >= KNOWN_AT_MOST) known.clear();
  if (settled) known.set(file, { facts, hash });
  return hash;
}

/** A file as it is now. */
export interface Content {
  readonly path: string;
  /** Its name and its content, as far as that was read: another word for another content. */
  readonly word: string;
  /** When it changed last in any way, also by being moved here, in milliseconds since 1970; 0: it is not there. */
  readonly changed_ms: number;
}

/** What `path` holds: one content for each file, named in its word relative to `base`; one that says `missing` when there is none. */
export async function contents(path: string, base: string): Promise<readonly Content[]> {
  const name = relative(base, path);
  const facts = await stat(path).catch(() => null);
  if (facts === null) return [{ path, word: `${name} missing`, changed_ms: 0 }];
  if (facts.isDirectory()) return (await aFewAtOnce(await filesUnder(path), (file) => contents(file, base))).flat();
  const unread = { path, word: `${name} ${facts.size} bytes of ${facts.mtimeMs}`, changed_ms: facts.ctimeMs };
  if (facts.size > READ_AT_MOST) return [unread];
  try {
    return [{ ...unread, word: `${name} ${await sha256Of(path, facts)}` }];
  } catch (error) {
    // Removed between the two looks.
    if (hasCode(error, 'ENOENT')) return contents(path, base);
    if (isTransient(error)) throw error;
    // Whoever needs it says that it cannot be read, in better words.
    return [unread];
  }
}

async function aFewAtOnce<Item, Result>(items: readonly Item[], task: (item: Item) => Promise<Result>): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const [at, item] of queue) results[at] = await task(item);
  }));
  return results;
}

/** Every file below a folder, sorted, without hidden ones and what tools leave behind. Links to folders are not followed. */
async function filesUnder(folder: string): Promise<readonly string[]> {
  const entries = (await namesOrNone(folder)).filter(({ name }) => !LEFT_BEHIND.test(name));
  const files = await Promise.all(entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return (await isEnvironment(path)) ? [] : filesUnder(path);
    return entry.isFile() || (entry.isSymbolicLink() && (await isFile(path))) ? [path] : [];
  }));
  return files.flat().sort();
}

/** A folder below may be removed while its neighbours are looked at, or be closed to Lookout. */
async function namesOrNone(folder: string): Promise<readonly Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(unlessTransient([]));
}

/** Python environments may have any name, `env` most often. */
async function isEnvironment(folder: string): Promise<boolean> {
  return (await existing([join(folder, 'pyvenv.cfg'), join(folder, 'conda-meta')]).catch(unlessTransient([]))).length > 0;
}

function unlessTransient<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (isTransient(error)) throw error;
    return instead;
  };
}
