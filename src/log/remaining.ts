/** Counts the items that somebody has still to read, again and again: of what was counted before, only what was read since is read once more. */
import { endsThere, linesIn, type Lines } from './items.ts';
import type { Volume } from './shelf.ts';

/** What is left of a volume. */
export interface Part {
  readonly volume: Volume;
  /** Bytes of its index that are passed over. */
  readonly at: number;
}

interface Counted extends Lines {
  readonly from: number;
}

/** Answers how many items there are in the parts. */
export function createCounter(): (parts: readonly Part[]) => Promise<number> {
  /** By index, as of the last time. */
  let known: ReadonlyMap<string, Counted> = new Map();
  return async (parts) => {
    const counted = new Map<string, Counted>();
    for (const part of parts) counted.set(part.volume.index, await count(part, known.get(part.volume.index)));
    known = counted;
    return [...counted.values()].reduce((sum, { items }) => sum + items, 0);
  };
}

async function count({ volume, at }: Part, before: Counted | undefined): Promise<Counted> {
  // Of a volume that took the place of another, or was written anew, nothing is known.
  if (!before || at < before.from || at > before.to || before.line === '' || !(await endsThere(volume, before.to, before.line))) return { from: at, ...await linesIn(volume, at) };
  const passed = await linesIn(volume, before.from, at);
  const { items, to, line } = await linesIn(volume, before.to);
  return { from: at, to, line: line === '' ? before.line : line, items: before.items - passed.items + items };
}
