/** Removes drafts that a kill left beside the file of records. Others write to that folder as well: only what is named as ours goes. */
import { readdir } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { removeIfPresent } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { alone } from './alone.ts';
import { rotatedVolume, timed, type Volume } from './shelf.ts';

/** Asked while the log's lock is held. */
export async function sweepDrafts(current: Volume, log: Log): Promise<void> {
  const { dir: folder, name: stem, ext } = parse(current.file);
  const names = await readdir(folder);
  // Of a file that was written anew, or copied as it was.
  for (const { name, ending } of timed(names, `${stem}.damaged-`)) {
    if (ending.startsWith(ext) && /^(\.[0-9a-f]{8})?\.tmp$/.test(ending.slice(ext.length))) await removeIfPresent(join(folder, name));
  }
  for (const { name, time, ending } of timed(names, `${stem}-`)) {
    if (ending !== `${ext}.gz.tmp`) continue;
    // Another Lookout may be gzipping it.
    await alone(rotatedVolume(current, time), log, () => removeIfPresent(join(folder, name)));
  }
}
