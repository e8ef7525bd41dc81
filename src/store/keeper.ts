/** Whose a data folder is: of who keeps the books there, and so runs the server, else of its owner. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../lib/files.ts';

export interface Keeper {
  readonly uid: number;
  readonly gid: number;
}

/** null: there is no such folder. */
export async function keeperOf(data_dir: string): Promise<Keeper | null> {
  return await ownerOf(join(data_dir, 'books.ndjson')) ?? ownerOf(data_dir);
}

/** null: it is not there. */
async function ownerOf(path: string): Promise<Keeper | null> {
  return stat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  });
}
