/** The best picture of each event, under `data/events`, oldest removed first, and those of events that are to be kept after all others. */
import { basename, join } from 'node:path';
import { createByteBudget } from '../lib/byte-budget.ts';
import { hasCode, linkOrCopy, makeFolder, namesIn, removeIfPresent, sweepTemporaries } from '../lib/files.ts';
import { createTurns } from '../lib/turns.ts';
import type { Frame } from '../types.ts';
import { createExpendables } from './expendables.ts';
import type { Expendable } from './janitor.ts';
import type { Spool } from './spool.ts';

export interface EventPictures {
  /** In place of what showed the event before. Answers its name; null: the picture is gone. */
  keep(event: string, frame: Frame): Promise<string | null>;
  /** Where it is, if it was kept. */
  file(event: string): string;
  /** What the janitor may let go: those of events that are to be kept, and the others. */
  readonly kept: Expendable;
  readonly others: Expendable;
}

const [FOLDER, ENDING] = ['events', '.jpg'] as const;

export async function openEventPictures(
  { data_dir, event_pictures_max_bytes }: { readonly data_dir: string; readonly event_pictures_max_bytes: number }, spool: Pick<Spool, 'path'>, isToKeep: (event: string) => boolean,
): Promise<EventPictures> {
  const folder = join(data_dir, FOLDER);
  await sweepTemporaries(folder);
  const takeTurn = createTurns();
  const isOther = (path: string): boolean => !isToKeep(basename(path, ENDING));
  const budget = await createByteBudget({
    maxBytes: event_pictures_max_bytes, existing: (await namesIn(folder)).filter((name) => name.endsWith(ENDING)).map((name) => join(folder, name)), remove: removeIfPresent, canBeSpared: isOther,
  });
  const file = (event: string): string => join(folder, `${event}${ENDING}`);
  const expendable = createExpendables(folder, budget, takeTurn);
  return {
    file,
    keep: (event, frame) => takeTurn(async () => {
      await makeFolder(folder);
      try {
        await linkOrCopy(spool.path(frame.key), file(event));
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return null;
        throw error;
      }
      await budget.add(file(event));
      return `${event}${ENDING}`;
    }),
    kept: expendable((path) => !isOther(path)),
    others: expendable(isOther),
  };
}
