/** Numbers that look like chance and are the same every time. */

export interface Random {
  /** From 0 to below `below`, whole. */
  next(below: number): number;
  chance(share: number): boolean;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next: (below) => Math.floor(unit() * below), chance: (share) => unit() < share };
}
