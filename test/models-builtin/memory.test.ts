/** The memory of models/motion: one picture for each stream, bounded. */
import { expect, it } from 'vitest';

interface Seen {
  readonly stream: string;
  readonly captured_at: string;
  readonly sequence?: number;
}
const { createMemory } = (await import(new URL('../../models/motion/memory.mjs', import.meta.url).href)) as {
  readonly createMemory: (most: number) => { before(seen: Seen): Uint8Array | null; keep(seen: Seen, pixels: Uint8Array): void };
};

const at = (stream: string, second: number): Seen => ({ stream, captured_at: `2025-01-01T00:00:0${second}.000Z` });

it('forgets the stream that was not seen for longest', () => {
  const memory = createMemory(2);
  memory.keep(at('A', 0), Uint8Array.of(1));
  memory.keep(at('B', 0), Uint8Array.of(2));
  memory.keep(at('A', 1), Uint8Array.of(3));
  memory.keep(at('C', 0), Uint8Array.of(4));
  expect(['A', 'B', 'C'].map((stream) => memory.before(at(stream, 9)))).toEqual([Uint8Array.of(3), null, Uint8Array.of(4)]);
});

it('keeps a copy, so that a whole batch is not held in memory for one picture', () => {
  const memory = createMemory(2);
  const batch = Uint8Array.of(1, 2, 3, 4);
  memory.keep(at('A', 0), batch.subarray(2));
  expect(memory.before(at('A', 1))?.buffer.byteLength).toBe(2);
});

it('goes by the sequence where both have one, and by the clock where not', () => {
  const memory = createMemory(2);
  memory.keep({ ...at('A', 5), sequence: 3 }, Uint8Array.of(1));
  expect(memory.before({ ...at('A', 1), sequence: 4 })).toEqual(Uint8Array.of(1));
  expect(memory.before({ ...at('A', 9), sequence: 3 })).toBeNull();
  expect(memory.before(at('A', 1))).toBeNull();
  expect(memory.before(at('A', 9))).toEqual(Uint8Array.of(1));
});
