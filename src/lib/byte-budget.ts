/** Keeps a folder's entries (files or folders) under a number of bytes: the oldest go first, of those that can be spared before all others. */
import { measure, NOTHING, sum, type Amount, type Measured } from './amount.ts';

export interface ByteBudget {
  /** Counts a new entry, then removes the oldest ones while there are too many bytes; the new one stays, whatever its size, unless it can be spared and others cannot. */
  add(path: string): Promise<void>;
  /** An entry was removed by somebody else. */
  forget(path: string): void;
  /** Bytes of all entries, or of those that are meant. */
  held(which?: Which): number;
  /** Removes the oldest entries, of those that are meant, until so much has gone. Answers how much that was. */
  letGo(wanted: Amount, which?: Which): Promise<Amount>;
}

type Which = (path: string) => boolean;
const ALL: Which = () => true;
const NONE: Which = () => false;

export interface BudgetOptions {
  readonly maxBytes: number;
  /** Entries that are there already, in any order. */
  readonly existing: Iterable<string> | AsyncIterable<string>;
  /** `why`: there are too many bytes, or it was asked to let go of some. */
  readonly remove: (path: string, why: 'budget' | 'asked') => Promise<void>;
  /** Default: none is worth more than another. */
  readonly canBeSpared?: Which;
  /** Entries that nothing may remove for now, however many bytes there are. Default: none. */
  readonly isInUse?: Which;
}

/** Entries whose size is asked at a time: there may be hundreds of thousands. */
const AT_ONCE = 64;

export async function createByteBudget({ maxBytes, existing, remove, canBeSpared = ALL, isInUse = NONE }: BudgetOptions): Promise<ByteBudget> {
  const entries = new Map<string, Amount>();
  /** Being removed: no longer counted, and not to be removed twice. */
  const leaving = new Set<string>();
  let bytes = 0;
  const known: (Measured & { readonly path: string })[] = [];
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
  for (const { path, bytes: size, files } of known.sort((a, b) => a.time - b.time || (a.path < b.path ? -1 : 1))) enter(path, { bytes: size, files });

  function enter(path: string, amount: Amount): void {
    entries.set(path, amount);
    bytes += amount.bytes;
  }

  function forget(path: string): void {
    if (!leaving.has(path)) bytes -= entries.get(path)?.bytes ?? 0;
    entries.delete(path);
  }

  async function take(path: string, why: 'budget' | 'asked'): Promise<void> {
    const own = entries.get(path);
    bytes -= own?.bytes ?? 0;
    leaving.add(path);
    try {
      await remove(path, why);
      entries.delete(path);
    } catch (error) {
      // It is still there. What cannot be removed at all must not keep others from it.
      if (own && entries.delete(path)) enter(path, own);
      throw error;
    } finally {
      leaving.delete(path);
    }
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
        if (!leaving.has(path) && !isInUse(path)) await take(path, 'budget');
      }
    }
  }

  return {
    async add(path) {
      forget(path);
      enter(path, await measure(path));
      await trim(path);
    },
    forget,
    held: (which = ALL) => [...entries].reduce((held, [path, own]) => (which(path) ? held + own.bytes : held), 0),
    async letGo(wanted, which = ALL) {
      let gone = NOTHING;
      for (const [path, own] of entries) {
        if (gone.bytes >= wanted.bytes && gone.files >= wanted.files) break;
        if (!which(path) || leaving.has(path) || isInUse(path)) continue;
        await take(path, 'asked');
        gone = sum(gone, own);
      }
      return gone;
    },
  };
}
