/** Rotated files that somebody edited while Lookout runs: their indexes say no longer where their records are. */
import { stat } from 'node:fs/promises';
import { hasCode } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { createTurns } from '../lib/turns.ts';
import { catchUpRotated } from './catch-up.ts';
import type { Layout } from './layout.ts';
import type { Volume } from './shelf.ts';

/** Asked where a record is not where the index says. True: the file was edited, and is indexed anew; read it again. */
export type Reindex = (volume: Volume) => Promise<boolean>;

const never = new AbortController().signal;

export function createReindex(layout: Layout, log: Log): Reindex {
  const takeTurn = createTurns();
  return (volume) => takeTurn(async () => {
    if (volume.time === undefined || volume.gzip || !(await isEdited(volume))) return false;
    try {
      await catchUpRotated(volume, layout, never);
    } catch (error) {
      log.repeated('warn', 'a rotated file cannot be indexed', volume.file, { reason: String(error) });
      return false;
    }
    log.info(`${volume.file} was edited, and is indexed anew`);
    return true;
  });
}

async function isEdited({ file, index }: Volume): Promise<boolean> {
  try {
    const [records, known] = await Promise.all([stat(file), stat(index)]);
    return records.mtimeMs > known.mtimeMs;
  } catch (error) {
    // It was gzipped or deleted meanwhile.
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
