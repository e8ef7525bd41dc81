/** Keeps a folder's entries (files or folders) under a number of bytes: the oldest go first, of those that can be spared before all others. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './files.ts';

export interface ByteBudget {
  /** Counts a new entry, then removes the oldest ones while there are too many bytes; the new one stays, whatever its size, unless it can be spared and others cannot. */
  add(path: string): Promise<void>;
  /** An entry was removed by somebody else. */
  forget(path: string): void;
}

export interface BudgetOptions {
  readonly maxBytes: number;
  /** Entries that are there already, in any order. */
  readonly existing: Iterable<string> | AsyncIterable<string>;
  readonly remove: (path: string) => Promise<void>;
  /** Default: none is worth more than another. */
  readonly canBeSpared?: (path: string) => boolean;
}

/** Entries whose size is asked at a time: there may be hundreds of thousands. */
const AT_ONCE = 64;

export async function createByteBudget({ maxBytes, existing, remove, canBeSpared = () => true }: BudgetOptions): Promise<ByteBudget> {
  const entries = new Map<string, number>();
  let bytes = 0;
  const known: { readonly path: string; readonly size: number; readonly time: number }[] = [];
  const ask = async (paths: readonly string[]): Promise<void> => {
    known.push(...(await Promise.all(paths.map(async (path) => ({ path, ...(await measure(path)) })))));
  };
  let unasked: string[] = [];
  for await (const path of existing) {
    unasked.push(path);
    if (unasked.length < AT_ONCE) continue;
    await ask(unasked);
    unasked = [];
  }
  await ask(unasked);
  for (const { path, size } of known.sort((a, b) => a.time - b.time || (a.path < b.path ? -1 : 1))) {
    entries.set(path, size);
    bytes += size;
  }

  function forget(path: string): void {
    bytes -= entries.get(path) ?? 0;
    entries.delete(path);
  }

  /** From the oldest on, no further than it must: there may be hundreds of thousands, and each new one comes here. */
  async function trim(newest: string): Promise<void> {
    let worthMore = 0;
    for (const spared of [true, false]) {
      for (const path of entries.keys()) {
        if (bytes <= maxBytes) return;
        if (canBeSpared(path) !== spared) {
          worthMore += 1;
          continue;
        }
        // It stands at the end: by now all that are worth more than it have been counted.
        if (path === newest && (!spared || worthMore === 0)) return;
        forget(path);
        await remove(path);
      }
    }
  }

  return {
    async add(path) {
      forget(path);
      const { size } = await measure(path);
      entries.set(path, size);
      bytes += size;
      await trim(path);
    },
    forget,
  };
}

/** Bytes of a file, or of all files of a folder, and when it was last changed. */
async function measure(path: string): Promise<{ size: number; time: number }> {
  try {
    const own = await lstat(path);
    if (!own.isDirectory()) return { size: own.size, time: own.mtimeMs };
    const parts = await Promise.all((await readdir(path)).map((name) => measure(join(path, name))));
    return { size: parts.reduce((sum, part) => sum + part.size, 0), time: own.mtimeMs };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { size: 0, time: 0 };
    throw error;
  }
}
