/** Bytes as networks, cameras and attackers change them: at random, and the same way each time. */

/** Numbers from 0 to 1, the same for each seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const filler = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => (index * 37) & 0xff));

/** `next`: of `random`. One in six stays as it is. */
export function mutated(bytes: Buffer, next: () => number): Buffer {
  const pick = (below: number): number => Math.floor(next() * below);
  const copy = Buffer.from(bytes);
  switch (pick(6)) {
    case 0: return copy;
    case 1: return copy.subarray(0, pick(copy.length));
    case 2: return Buffer.concat([copy, filler(pick(40))]);
    case 3: copy[pick(copy.length)] = pick(256); return copy;
    case 4: copy[pick(Math.min(20, copy.length))] = pick(256); return copy;
    default: for (let count = pick(9); count > 0; count -= 1) copy[pick(copy.length)] = pick(256); return copy;
  }
}
