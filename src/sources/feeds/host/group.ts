/** What came since the last key frame, as long as somebody may need it. */
import type { Unit } from '../../rtp/unit.ts';

/** A unit whose bytes are its own. */
export interface Kept {
  readonly bytes: Buffer;
  readonly ptsSeconds: number;
  readonly key: boolean;
}

export interface Group {
  add(unit: Kept): void;
  /** What is there, which is then gone. */
  take(): readonly Kept[];
}

/** A camera that sends more between two key frames is joined at the next one. */
const MOST_BYTES = 12 * 1024 * 1024;

export function createGroup(): Group {
  let units: Kept[] = [];
  let bytes = 0;
  return {
    add(unit) {
      if (unit.key) [units, bytes] = [[], 0];
      else if (units.length === 0) return;
      units.push(unit);
      bytes += unit.bytes.length;
      if (bytes > MOST_BYTES) [units, bytes] = [[], 0];
    },
    take() {
      const taken = units;
      [units, bytes] = [[], 0];
      return taken;
    },
  };
}

/** Copied out of what was read; before a key frame stands what a decoder must know of it. */
export function kept({ parts, ptsSeconds, key }: Unit, parameterSets: () => Buffer): Kept {
  return { bytes: Buffer.concat(key ? [parameterSets(), ...parts] : parts), ptsSeconds, key };
}
