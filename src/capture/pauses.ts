/** How long a stream waits before it connects again, by how its connections ended. */
import { backoffMs } from '../lib/clock.ts';

export interface Pauses {
  /** Connections in a row that gave nothing for long. */
  readonly failures: number;
  /** After a connection ended so, in milliseconds. `healthy`: it gave pictures for a while; `known`: one before it did. */
  after(code: string, how: { readonly healthy: boolean; readonly known: boolean }): number;
}

const FIRST_MS = 1000;
const LONGEST_MS = 30_000;
/** Cameras lock accounts after a few wrong passwords in a row, and open them again after some minutes. */
export const REFUSED_MS = 300_000;
const LONGEST_REFUSED_MS = 3_600_000;
/** A camera that knew the login may refuse it while it boots. */
const TRIES_WHILE_BOOTING = 2;

/** After so many failures in a row, in milliseconds. */
export const pauseMsAfter = (failures: number): number => backoffMs(failures, FIRST_MS, LONGEST_MS);

export function createPauses(): Pauses {
  let failures = 0;
  let refusals = 0;
  return {
    get failures() {
      return failures;
    },
    after(code, { healthy, known }) {
      failures = healthy ? 0 : failures + 1;
      if (healthy || code !== 'stream_auth') refusals = 0;
      if (code !== 'stream_auth') return pauseMsAfter(failures);
      refusals += 1;
      const serious = refusals - (known ? TRIES_WHILE_BOOTING : 0);
      return serious <= 0 ? LONGEST_MS : Math.min(REFUSED_MS * 2 ** (serious - 1), LONGEST_REFUSED_MS);
    },
  };
}
