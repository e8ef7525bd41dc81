/** The newest parameter sets of a stream: those that its description names, until the stream brings its own. */

const START_CODE = Buffer.from([0, 0, 0, 1]);
/** No camera's are larger, nor more of one kind. */
const MOST_BYTES = 8192;
const MOST = 32;

export interface ParameterSets {
  /** One of a stream: those of its kind that came with other units are replaced. */
  came(kind: number, unit: number, bytes: Buffer): void;
  /** Annex B, by kind: the lower ones are what the others refer to. */
  readonly all: () => Buffer;
}

interface Kind {
  unit: number;
  sets: readonly Buffer[];
}

export function createParameterSets(described: readonly Buffer[], kindOf: (set: Buffer) => number): ParameterSets {
  const kinds = new Map<number, Kind>();
  let joined: Buffer | null = null;

  function came(kind: number, unit: number, bytes: Buffer): void {
    if (bytes.length > MOST_BYTES) return;
    const known = kinds.get(kind);
    const before = known?.unit === unit ? known.sets : [];
    if (before.length === MOST || before.some((set) => set.equals(bytes))) return;
    // Nearly always it is what it was.
    const same = known?.sets.find((set) => set.equals(bytes));
    if (known && same && known.sets.length === 1) {
      known.unit = unit;
      return;
    }
    kinds.set(kind, { unit, sets: [...before, same ?? Buffer.from(bytes)] });
    joined = null;
  }

  for (const set of described) came(kindOf(set), 0, set);
  return {
    came,
    all: () => joined ??= Buffer.concat([...kinds].sort(([a], [b]) => a - b).flatMap(([, { sets }]) => sets.flatMap((set) => [START_CODE, set]))),
  };
}
