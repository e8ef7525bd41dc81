/** Keeps a folder's entries (files or folders) under a number of bytes: the oldest go first, of those that can be spared before all others. */
import { measure, NOTHING, sum, type Amount, type Measured } from './amount.ts';

export interface ByteBudget {
  /**
   * Counts a new entry, then removes the oldest ones while there are too many bytes; the new one stays, whatever its size,
   * unless it can be spared and others cannot. Throws where there are too many still, for want of one that can be removed.
   */
  add(path: string): Promise<void>;
  /** An entry was removed by somebody else. */
  forget(path: string): void;
  /** Bytes of all entries, or of those that are meant. */
  held(which?: Which): number;
  /** Removes the oldest entries, of those that are meant, until so much has gone. Answers how much that was; throws where it is nothing, since none can be removed. */
  letGo(wanted: Amount, which?: Which): Promise<Amount>;
}

type Which = (path: string) => boolean;

interface Taker {
  /** False: it cannot be removed, or none is tried any more. */
  takes(path: string): Promise<boolean>;
  throwIfStuck(): void;
}

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
/** Entries that cannot be removed, after which no more are tried for now. */
const MOST_FAILURES = 64;

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
      // It is still there, behind all others: those are tried first.
      if (own && entries.delete(path)) enter(path, own);
      throw error;
    } finally {
      leaving.delete(path);
    }
  }

  /** Takes one after the other: what cannot be removed keeps no others from it. */
  function createTaker(why: 'budget' | 'asked'): Taker {
    const stuck = new Map<string, unknown>();
    return {
      async takes(path) {
        if (stuck.has(path) || stuck.size === MOST_FAILURES) return false;
        try {
          await take(path, why);
          return true;
        } catch (error) {
          stuck.set(path, error);
          return false;
        }
      },
      throwIfStuck() {
        const [first] = stuck.values();
        if (stuck.size > 0) throw first;
      },
    };
  }

  /** From the oldest on, no further than it must: there may be hundreds of thousands, and each new one comes here. */
  async function trim(newest: string): Promise<void> {
    const taker = createTaker('budget');
    let worthMore = 0;
    for (const spared of [true, false]) {
      for (const path of entries.keys()) {
        if (bytes <= maxBytes) return;
        if (canBeSpared(path) !== spared) {
          worthMore += 1;
          continue;
        }
        // It stands at the end: by now all that are worth more than it have been counted.
        if (path === newest && (!spared || worthMore === 0)) {
          taker.throwIfStuck();
          return;
        }
        if (!leaving.has(path) && !isInUse(path)) await taker.takes(path);
      }
    }
    if (bytes > maxBytes) taker.throwIfStuck();
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
      const taker = createTaker('asked');
      let gone = NOTHING;
      for (const [path, own] of entries) {
        if (gone.bytes >= wanted.bytes && gone.files >= wanted.files) break;
        if (which(path) && !leaving.has(path) && !isInUse(path) && await taker.takes(path)) gone = sum(gone, own);
      }
      if (gone === NOTHING) taker.throwIfStuck();
      return gone;
    },
  };
}
