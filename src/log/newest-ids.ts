/** Batch ids of the newest records: read once when somebody asks, because a start asks for every batch that a crash left open. */
import { timeOfName } from '../lib/aside.ts';
import type { Log } from '../lib/log.ts';
import { newestFirst } from './index-file.ts';
import { newestVolumeFirst, ofReadable, type Volume } from './shelf.ts';
import { wantedBy, type Wanted } from './wanted.ts';

export interface NewestIds {
  has(id: string): Promise<boolean>;
  /** Also among all others: what is restored from a backup may have been recorded long ago. */
  hasEver(id: string): Promise<boolean>;
  /** A record was appended. */
  add(id: string): void;
  /** Somebody else may have appended: they are read anew. */
  forget(): void;
}

/** What a crash left open was appended last, if at all: it need not be looked for among all records. */
const REMEMBERED = 10_000;
/** A file that was rotated so long before a batch was captured does not have it: by more no clock is set back, as a rule. */
const CLOCK_MS = 86_400_000;

export function createNewestIds(current: Volume, log: Log): NewestIds {
  let known: Promise<Known> | null = null;

  function newest(): Promise<Known> {
    known ??= readIds(current, log).catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  }

  return {
    has: async (id) => (await newest()).ids.has(id),
    async hasEver(id) {
      const { ids, areAll } = await newest();
      return ids.has(id) || (!areAll && await isIndexed(current, id, log));
    },
    add(id) {
      known?.then((those) => { remember(those, id); }, () => undefined);
    },
    forget() {
      known = null;
    },
  };
}

interface Known {
  /** Oldest first. */
  readonly ids: Set<string>;
  /** There are no older ones. */
  areAll: boolean;
}

function remember(known: Known, id: string): void {
  known.ids.add(id);
  const [oldest] = known.ids;
  if (known.ids.size <= REMEMBERED || oldest === undefined) return;
  known.ids.delete(oldest);
  known.areAll = false;
}

async function readIds(current: Volume, log: Log): Promise<Known> {
  const ids: string[] = [];
  for await (const found of newestVolumeFirst(current, ofReadable(({ index }) => idsIn(index, REMEMBERED - ids.length), [], log))) {
    ids.push(...found);
    if (ids.length === REMEMBERED) break;
  }
  return { ids: new Set(ids.reverse()), areAll: ids.length < REMEMBERED };
}

/** Records of other programs have none. */
async function idsIn(index: string, most: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { id } of newestFirst(index)) {
    if (id !== '') ids.push(id);
    if (ids.length === most) break;
  }
  return ids;
}

/** Thousands may be asked about that were captured lately: what is older is not looked at. */
async function isIndexed(current: Volume, id: string, log: Log): Promise<boolean> {
  const wanted = wantedBy({ id });
  const isTooOld = ({ time }: Volume): boolean => time !== undefined && wanted.since !== undefined && timeOfName(time) + CLOCK_MS < wanted.since;
  const look = async (volume: Volume): Promise<boolean | 'over'> => (isTooOld(volume) ? 'over' : holds(volume, wanted));
  for await (const found of newestVolumeFirst(current, ofReadable(look, false, log))) {
    if (found !== false) return found === true;
  }
  return false;
}

async function holds({ index }: Volume, wanted: Wanted): Promise<boolean> {
  for await (const _entry of newestFirst(index, wanted)) return true;
  return false;
}
