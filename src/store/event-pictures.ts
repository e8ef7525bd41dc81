/** The best picture of each event, under `data/events`, oldest removed first. */
import { join } from 'node:path';
import { createByteBudget } from '../lib/byte-budget.ts';
import { hasCode, linkOrCopy, makeFolder, namesIn, removeIfPresent, sweepTemporaries } from '../lib/files.ts';
import { createTurns } from '../lib/turns.ts';
import type { Frame } from '../types.ts';
import type { Expendable } from './janitor.ts';
import type { Spool } from './spool.ts';

export interface EventPictures {
  /** In place of what showed the event before. Answers its name; null: the picture is gone. */
  keep(event: string, frame: Frame): Promise<string | null>;
  /** Where it is, if it was kept. */
  file(event: string): string;
  /** What the janitor may let go. */
  readonly kept: Expendable;
}

const FOLDER = 'events';

export async function openEventPictures(
  { data_dir, event_pictures_max_bytes }: { readonly data_dir: string; readonly event_pictures_max_bytes: number }, spool: Pick<Spool, 'path'>,
): Promise<EventPictures> {
  const folder = join(data_dir, FOLDER);
  await sweepTemporaries(folder);
  const takeTurn = createTurns();
  const budget = await createByteBudget({
    maxBytes: event_pictures_max_bytes, existing: (await namesIn(folder)).filter((name) => name.endsWith('.jpg')).map((name) => join(folder, name)), remove: removeIfPresent,
  });
  const file = (event: string): string => join(folder, `${event}.jpg`);
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
      return `${event}.jpg`;
    }),
    kept: {
      folder,
      held: () => budget.held(),
      letGo: (wanted) => takeTurn(() => budget.letGo(wanted)),
    },
  };
}
