/** Makes Lookout's folders its own: no other process may write there while it runs. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorInfo, LookoutError } from '../errors.ts';
import { hasCode, sweepTemporaries } from '../lib/files.ts';
import { lockFolderOrFile } from '../lib/lock.ts';
import type { Config } from '../types.ts';

const WAIT_MS = 1000;

/** Resolves with what gives them back. `lose` is told when somebody else has taken one: nothing more may be written there. */
export async function takeFolders(
  { data_dir, frames_dir }: Pick<Config, 'data_dir' | 'frames_dir'>, lose: (error: LookoutError) => void, signal: AbortSignal,
): Promise<() => Promise<void>> {
  const releases: (() => Promise<void>)[] = [];
  const release = async (): Promise<void> => { for (const each of releases.reverse()) await each(); };
  try {
    for (const folder of new Set([data_dir, frames_dir])) releases.push(await take(folder, lose, signal));
    await sweepTemporaries(data_dir);
    return release;
  } catch (error) {
    await release();
    throw error;
  }
}

async function take(folder: string, lose: (error: LookoutError) => void, signal: AbortSignal): Promise<() => Promise<void>> {
  try {
    await mkdir(folder, { recursive: true });
    const lock = await lockFolderOrFile(join(folder, '.lookout'), {
      waitMs: WAIT_MS, onCompromised: ({ message }) => { lose(new LookoutError('locked', `the lock on ${folder} was lost: ${message}`)); },
    }, signal);
    return () => lock.release();
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST')) throw error;
    throw new LookoutError('config_invalid', `nothing can be written to the folder ${folder} (${errorInfo(error).message}); make it this user's own, or name another with --data-dir and --frames-dir`, { cause: error });
  }
}
