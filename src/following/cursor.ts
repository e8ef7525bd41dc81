/** How far a follower has come, in a file of its own: written by rename, kept aside where it cannot be read. */
import { join } from 'node:path';
import { putAside } from '../lib/aside.ts';
import { hasCode, makeFolder, readIfPresent, writeAtomically } from '../lib/files.ts';
import { isObject } from '../lib/objects.ts';
import type { Item, LogPlace } from '../types.ts';

export interface Cursor {
  /** Where it delivered to when this was written. */
  readonly target: string;
  readonly places: Readonly<Partial<Record<Item['log'], LogPlace>>>;
  /** Items since it was configured first: taken by the target, and those that it never will. */
  readonly delivered: number;
  readonly lost: number;
  /** RFC 3339: what is older than this is brought by a rewind. Absent: there was none. */
  readonly asked?: string | undefined;
}

export interface CursorFile {
  /** null: there is none, or none that can be read. */
  read(): Promise<Cursor | null>;
  write(cursor: Cursor): Promise<void>;
}

/** `told`: where one lies now that could not be read. */
export function cursorFile(folder: string, name: string, told: (aside: string) => void): CursorFile {
  const file = join(folder, `${name}.json`);
  return {
    async read() {
      const text = await readIfPresent(file).catch((error: unknown) => {
        // Another user's, a folder, or where the disk fails: it must not keep Lookout from starting.
        if (hasCode(error, 'EACCES', 'EPERM', 'EISDIR', 'EIO')) return undefined;
        throw error;
      });
      if (text === null) return null;
      const cursor = text === undefined ? null : parse(text.toString('utf8'));
      if (cursor === null) told(await putAside(file));
      return cursor;
    },
    async write(cursor) {
      await makeFolder(folder);
      await writeAtomically(file, JSON.stringify(cursor));
    },
  };
}

function parse(text: string): Cursor | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || !isObject(value['places']) || typeof value['target'] !== 'string') return null;
    if (!Object.values(value['places']).every(isPlace) || !isCount(value['delivered']) || !isCount(value['lost']) || !['string', 'undefined'].includes(typeof value['asked'])) return null;
    return value as unknown as Cursor;
  } catch {
    // Torn, or not JSON at all.
    return null;
  }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

function isPlace(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { volume, items, last, time } = value;
  return typeof volume === 'string' && isCount(items) && typeof last === 'string' && (time === null || typeof time === 'string');
}
