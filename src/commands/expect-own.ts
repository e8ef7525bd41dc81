/** Root leaves folders that the user of a service cannot enter: what it runs beside one is run as that user. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LookoutError } from '../errors.ts';
import { hasCode } from '../lib/files.ts';
import type { Config } from '../types.ts';

/** Throws `config_invalid` for root where the data folder is somebody else's: of who keeps the books there, else of its owner. One that is not there yet becomes its own. */
export async function expectOwn({ data_dir, runner_user }: Config): Promise<void> {
  if (process.geteuid?.() !== 0 || runner_user !== null) return;
  const uid = await ownerOf(join(data_dir, 'books.ndjson')) ?? await ownerOf(data_dir) ?? 0;
  if (uid !== 0) throw new LookoutError('config_invalid', `the folder ${data_dir} is of the user ${uid}, who could not enter what root leaves there; run this as that user, with sudo -u '#${uid}' before it, or name another folder with --data-dir`);
}

/** null: it is not there. */
async function ownerOf(path: string): Promise<number | null> {
  return stat(path).then(({ uid }) => uid, (error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  });
}
