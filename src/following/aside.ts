/** What a target did not take, a file for each item with the reason, until somebody has it tried again; the oldest go beyond a number of bytes. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createByteBudget } from '../lib/byte-budget.ts';
import { makeFolder, namesIn, removeIfPresent, sweepTemporaries, writeAtomically } from '../lib/files.ts';
import type { Item, Refused } from '../types.ts';

export interface Aside {
  put(refused: Refused): Promise<void>;
  /** Their files, oldest first. */
  list(): Promise<readonly string[]>;
  /** null: it is none of ours. */
  read(file: string): Promise<Item | null>;
  remove(file: string): Promise<void>;
  /** How many there are, and how many went for want of room since the start. */
  readonly count: number;
  readonly dropped: number;
}

export async function openAside(folder: string, maxBytes: number): Promise<Aside> {
  await sweepTemporaries(folder);
  const path = (name: string): string => join(folder, name);
  const names = async (): Promise<string[]> => (await namesIn(folder)).filter((name) => name.endsWith('.json')).sort();
  let count = (await names()).length;
  let dropped = 0;
  const budget = await createByteBudget({
    maxBytes, existing: (await names()).map(path),
    remove: async (file) => {
      await removeIfPresent(file);
      count -= 1;
      dropped += 1;
    },
  });
  let last = 0;

  return {
    get count() {
      return count;
    },
    get dropped() {
      return dropped;
    },
    async put({ item, reason }) {
      await makeFolder(folder);
      // In order of their coming, also within a millisecond.
      last = Math.max(last + 1, Date.now());
      const file = path(`${last}-${randomBytes(4).toString('hex')}.json`);
      await writeAtomically(file, JSON.stringify({ reason, at: new Date(last).toISOString(), item }));
      count += 1;
      await budget.add(file);
    },
    async list() {
      const found = await names();
      // Somebody may have removed some.
      count = found.length;
      return found.map(path);
    },
    async read(file) {
      try {
        const { item } = JSON.parse(await readFile(file, 'utf8')) as { readonly item?: Item };
        return item ?? null;
      } catch {
        // Somebody put it there, or removed it.
        return null;
      }
    },
    async remove(file) {
      budget.forget(file);
      await removeIfPresent(file);
      count -= 1;
    },
  };
}
