/** Events that are to be kept: what shows them goes last. Of each there is an empty file of its name, under `data/events/kept`. */
import { join } from 'node:path';
import { fsyncFolder, makeFolder, namesIn, removeIfPresent, sweepTemporaries, writeAtomically } from '../lib/files.ts';

export interface KeptEvents {
  readonly has: (event: string) => boolean;
  /** Resolves once it is on the disk. */
  set(event: string, isKept: boolean): Promise<void>;
}

export async function openKeptEvents(data_dir: string): Promise<KeptEvents> {
  const folder = join(data_dir, 'events', 'kept');
  await sweepTemporaries(folder);
  const events = new Set(await namesIn(folder));
  return {
    has: (event) => events.has(event),
    async set(event, isKept) {
      await makeFolder(folder);
      if (isKept) {
        await writeAtomically(join(folder, event), '');
        events.add(event);
      } else {
        await removeIfPresent(join(folder, event));
        await fsyncFolder(folder);
        events.delete(event);
      }
    },
  };
}
