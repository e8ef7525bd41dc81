/** Keeps a log within its bytes: the oldest rotated files go, unless they hold what somebody has still to deliver. */
import { measure } from '../lib/amount.ts';
import { isThere } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import type { LogHolder } from '../types.ts';
import { alone } from './alone.ts';
import { removeVolume } from './compress.ts';
import { firstId, itemsOf } from './items.ts';
import { rotatedVolumes, type Volume } from './shelf.ts';

export interface Budget {
  /** The current file has so many bytes, or soon will: rotated ones go while all are too many. Asked while the log's lock is held. */
  keepWithin(bytes: number): Promise<void>;
  /** There are other rotated files than there were, or they have other sizes. */
  recount(): void;
  /** Whose needs count from now on; before, all is needed. */
  heldBy(holder: LogHolder): void;
}

export interface BudgetParts {
  readonly current: Volume;
  /** null: there is none. */
  readonly mostBytes: number | null;
  readonly log: Log;
}

export function createBudget({ current, mostBytes, log }: BudgetParts): Budget {
  let holder: LogHolder | null = null;
  /** At most so many: gzipping makes them less. Infinity: to be counted. */
  let rotatedBytes = Infinity;

  /** How many were in it; null: it is being gzipped, or has been by now, and goes after that if it still has to. */
  const removeAlone = (volume: Volume): Promise<number | null> => alone(volume, log, async () => {
    if (!(await isThere(volume.file))) return null;
    const items = await itemsOf(volume);
    await removeVolume(volume);
    return items;
  });

  return {
    async keepWithin(bytes) {
      if (!holder || mostBytes === null || rotatedBytes === 0 || rotatedBytes + bytes <= mostBytes) return;
      const volumes = await Promise.all((await rotatedVolumes(current)).map(async (volume) => ({ volume, size: (await measure(volume.file)).bytes })));
      rotatedBytes = volumes.reduce((sum, { size }) => sum + size, 0);
      for (const { volume, size } of volumes.reverse()) {
        const excess = rotatedBytes + bytes - mostBytes;
        if (excess <= 0) break;
        const id = await firstId(volume);
        if (excess <= holder.bytes && holder.needs(id)) break;
        const items = await removeAlone(volume);
        if (items === null) break;
        rotatedBytes -= size;
        holder.gone(id, items);
        log.info(`${volume.file} is deleted: there are more bytes of records than records_max_bytes`);
      }
    },
    recount() {
      rotatedBytes = Infinity;
    },
    heldBy(told) {
      holder = told;
    },
  };
}
