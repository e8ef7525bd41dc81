/**
 * What a runner gets to see of its frames: names of its own for the time of one call, under
 * `<frames>/.views/<call>/<session>/`. Whatever a model does to them, the pictures in the spool stay as they are, and one
 * that leaves the spool meanwhile is still there for the call.
 *
 * A second name for the file does where its mode keeps the runner from writing to it; root writes whatever the mode
 * says, so there it is a copy.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode, linkOrCopy } from '../lib/files.ts';

export interface View {
  /** One for each key; null: that picture is gone. */
  readonly files: readonly (string | null)[];
  close(): Promise<void>;
}

export interface Views {
  /** `keys` are of frames in the spool. */
  open(keys: readonly string[]): Promise<View>;
  close(): Promise<void>;
}

const IS_ROOT = process.getuid?.() === 0;
const READ_ONLY = 0o444;

/** Removes what a killed run left. */
export async function createViews(framesDir: string): Promise<Views> {
  const folder = join(framesDir, '.views');
  const removed = (path: string): Promise<void> => rm(path, { recursive: true, force: true });
  await removed(folder);
  return {
    async open(keys) {
      const own = join(folder, randomUUID());
      for (const session of new Set(keys.map((key) => dirname(key)))) await mkdir(join(own, session), { recursive: true });
      const files = await Promise.all(keys.map((key) => show(join(framesDir, key), join(own, key))));
      return { files, close: () => removed(own) };
    },
    close: () => removed(folder),
  };
}

async function show(picture: string, target: string): Promise<string | null> {
  try {
    if (IS_ROOT) {
      await copyFile(picture, target, constants.COPYFILE_FICLONE);
    } else {
      await chmod(picture, READ_ONLY);
      await linkOrCopy(picture, target);
    }
    return target;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}
