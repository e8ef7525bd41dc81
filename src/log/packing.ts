/** Gzips rotated files, one after the other, beside all else. */
import { LookoutError } from '../errors.ts';
import { isThere } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { isTransient } from '../lib/transient.ts';
import { alone } from './alone.ts';
import { compress } from './compress.ts';
import type { Layout } from './layout.ts';
import { gzipped, rotatedVolumes, type Volume } from './shelf.ts';

export interface Packing {
  /** Begins with what is not gzipped yet. */
  begin(): void;
  /** Leaves what it is at as it was. */
  close(): Promise<void>;
}

/** `packed` is told of each, and waited for. */
export function createPacking(current: Volume, layout: Layout, log: Log, packed: (signal: AbortSignal) => Promise<void>): Packing {
  const closing = new AbortController();
  const { signal } = closing;
  let work: Promise<void> = Promise.resolve();

  async function packAll(): Promise<void> {
    for (const volume of await rotatedVolumes(current)) {
      if (volume.gzip || !(await packAlone(volume).catch(later))) continue;
      log.info(`${volume.file} is gzipped`);
      await packed(signal);
    }
  }

  /** They stay as they are until the next rotation, or the next start. What the disk refuses of one it would refuse of all. */
  function later(error: unknown): null {
    if (signal.aborted || isTransient(error)) throw error;
    tell(error);
    return null;
  }

  function tell(error: unknown): void {
    log.repeated('warn', 'rotated files cannot be gzipped', current.file, { reason: String(error) });
  }

  const packAlone = (volume: Volume): Promise<boolean | null> => alone(volume, log, async () => {
    // What another program gzipped is not overwritten.
    const isFree = await isThere(volume.file) && !(await isThere(gzipped(volume).file));
    return isFree && compress(volume, layout, signal);
  }, signal);

  return {
    begin() {
      work = work.then(packAll).catch((error: unknown) => { if (!signal.aborted) tell(error); });
    },
    async close() {
      closing.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
      await work;
    },
  };
}
