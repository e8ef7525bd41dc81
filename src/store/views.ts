/**
 * What a runner gets to see of its frames: names of its own for the time of one call, under
 * `<frames>/.views/<call>/`. Whatever a model does to them, the pictures in the spool stay as they are, and one
 * that leaves the spool meanwhile is still there for the call.
 *
 * A second name for the file does where its mode keeps the runner from writing to it; root writes whatever the mode
 * says, so there it is a copy; and so it is for a user of the models' own, whose group may read it.
 */
import { randomUUID } from 'node:crypto';
import { chmod, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorInfo } from '../errors.ts';
import { copyForModels, makeReadable, modelsAccount } from '../lib/account.ts';
import { hasCode, isThere, linkOrCopy, makeFolder, removeIfPresent, sweepAway } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';

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
export async function createViews(framesDir: string, log: Log): Promise<Views> {
  const folder = join(framesDir, '.views');
  await sweepAway(folder, log);

  /** What cannot be removed now is swept at the next start. */
  async function remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
      log.debug(`${path} is left`, { reason: errorInfo(error).message });
    });
  }

  /** By name: to look for what is there is three times the work, and only needed where a model has put something beside. */
  async function removeView(own: string, folders: readonly string[], files: readonly string[]): Promise<void> {
    try {
      await Promise.all(files.map(removeIfPresent));
      for (const one of [...folders, own]) await rmdir(one);
    } catch {
      await remove(own);
    }
  }

  return {
    async open(keys) {
      const own = join(folder, randomUUID());
      let showing: readonly Promise<string | null>[] = [];
      try {
        const targets = namesFor(keys).map((name) => join(own, name));
        const folders = [...new Set(targets.map(dirname))].filter((one) => one !== own);
        if (modelsAccount() !== null) await makeReadable(folder);
        for (const one of [own, ...folders]) await makeFolder(one);
        showing = keys.map((key, place) => show(join(framesDir, key), targets[place] ?? own));
        const files = await Promise.all(showing);
        return { files, close: () => removeView(own, folders, targets) };
      } catch (error) {
        // As they are only Lookout's own user can read them. What came of it would stay on a disk that is full.
        if (modelsAccount() !== null) {
          await Promise.allSettled(showing);
          await remove(own);
          throw error;
        }
        // Where the disk is full they are shown as they are: a look is worth more than this caution.
        log.debug('pictures are shown to a model as they are', { reason: errorInfo(error).message });
        const files = await Promise.all(keys.map(async (key) => (await isThere(join(framesDir, key)) ? join(framesDir, key) : null)));
        return { files, close: () => remove(own) };
      }
    },
    close: () => remove(folder),
  };
}

/** The files' own names, which say camera and time; of two that are the same the second with its session's folder. */
function namesFor(keys: readonly string[]): readonly string[] {
  return keys.map((key, place) => (keys.findIndex((other) => basename(other) === basename(key)) === place ? basename(key) : key));
}

async function show(picture: string, target: string): Promise<string | null> {
  try {
    if (IS_ROOT || modelsAccount() !== null) {
      await copyForModels(picture, target);
    } else {
      const { mode } = await stat(picture);
      await chmod(picture, mode & READ_ONLY);
      await linkOrCopy(picture, target);
    }
    return target;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}
