/**
 * What comes of many connections at little cost. Node makes a buffer of 64 kB for each piece that it reads, of which most is
 * thrown away; here all read into one, and what has come is put together in larger ones.
 */
import type { OnReadOpts } from 'node:net';

export interface Intake {
  /** For whoever connects: the socket tells no data then. */
  readonly onread: OnReadOpts;
  /** What comes from now on. The bytes stay as they are. */
  hear(listener: (bytes: Buffer) => void): void;
}

/** Everything is read in one thread, one piece after the other. */
const READ = Buffer.allocUnsafeSlow(64 * 1024);
const SLAB_BYTES = 128 * 1024;

export function createIntake(): Intake {
  let heard: (bytes: Buffer) => void = () => undefined;
  // Of this connection alone: what one that is slow keeps would else keep what came of others meanwhile.
  let slab = Buffer.alloc(0);
  return {
    onread: {
      buffer: READ,
      callback(length) {
        if (slab.length < length) slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
        const bytes = slab.subarray(0, length);
        slab = slab.subarray(length);
        READ.copy(bytes, 0, 0, length);
        heard(bytes);
        return true;
      },
    },
    hear(listener) {
      heard = listener;
    },
  };
}
