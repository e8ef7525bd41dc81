/** Batch ids of the newest records: read once when somebody asks, because a start asks for every batch that a crash left open. */
import { newestFirst } from './index-file.ts';
import { newestVolumeFirst, type Volume } from './shelf.ts';

export interface NewestIds {
  has(id: string): Promise<boolean>;
  /** A record was appended. */
  add(id: string): void;
  /** Somebody else may have appended: they are read anew. */
  forget(): void;
}

/** What a crash left open was appended last, if at all: it need not be looked for among all records. */
const REMEMBERED = 10_000;

export function createNewestIds(current: Volume): NewestIds {
  /** Oldest first. */
  let known: Promise<Set<string>> | null = null;

  return {
    async has(id) {
      known ??= readIds(current).catch((error: unknown) => {
        known = null;
        throw error;
      });
      return (await known).has(id);
    },
    add(id) {
      known?.then((ids) => { remember(ids, id); }, () => undefined);
    },
    forget() {
      known = null;
    },
  };
}

function remember(ids: Set<string>, id: string): void {
  ids.add(id);
  const [oldest] = ids;
  if (ids.size > REMEMBERED && oldest !== undefined) ids.delete(oldest);
}

async function readIds(current: Volume): Promise<Set<string>> {
  const ids: string[] = [];
  for await (const found of newestVolumeFirst(current, ({ index }) => idsIn(index, REMEMBERED - ids.length))) {
    ids.push(...found);
    if (ids.length === REMEMBERED) break;
  }
  return new Set(ids.reverse());
}

async function idsIn(index: string, most: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { id } of newestFirst(index)) {
    ids.push(id);
    if (ids.length === most) break;
  }
  return ids;
}
