/** The names of the files that hold records: the current one, rotated ones, what was kept aside, and their indexes. */
import { access, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { hasCode } from '../lib/files.ts';

export interface RecordFiles {
  /** The current file of records. */
  readonly predictions: string;
  /** Where indexes are kept. */
  readonly data_dir: string;
}

/** A file of records and its index. */
export interface Volume {
  readonly file: string;
  readonly index: string;
}

/** The file that is written to, links followed: renaming it must move the records and not a link to them. */
export async function currentVolume({ predictions, data_dir }: RecordFiles): Promise<Volume> {
  const file = await realpath(predictions).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return predictions;
    throw error;
  });
  return { file, index: join(data_dir, 'records.idx') };
}

/** Rotated files, newest first. */
export async function rotatedVolumes(current: Volume): Promise<readonly Volume[]> {
  const names = (await readdir(dirname(current.file))).sort().reverse();
  return names.flatMap((name) => {
    const time = /-(\d{8}T\d{9}Z)\.?[^.]*$/.exec(name)?.[1];
    const volume = time === undefined ? null : rotatedVolume(current, time);
    return volume && basename(volume.file) === name ? [volume] : [];
  });
}

/** Names for the current file once it is rotated, which nothing has yet. */
export async function nextRotatedVolume(current: Volume): Promise<Volume> {
  return rotatedVolume(current, await freeTime((time) => rotatedVolume(current, time).file));
}

/** A name beside `file` for something kept aside, e.g. `predictions.damaged-20250101T120000000Z.json`. */
export async function nameAside(file: string, word: 'damaged' | 'aside'): Promise<string> {
  const named = (time: string): string => extended(file, `.${word}-${time}`);
  return named(await freeTime(named));
}

function rotatedVolume({ file, index }: Volume, time: string): Volume {
  return { file: extended(file, `-${time}`), index: extended(index, `-${time}`) };
}

/** `records.idx` extended by `-1` is `records-1.idx`. */
function extended(path: string, by: string): string {
  return join(dirname(path), `${basename(path, extname(path))}${by}${extname(path)}`);
}

/** Now, or the first millisecond after it for which `named` gives a name that is free. */
async function freeTime(named: (time: string) => string): Promise<string> {
  for (let at = Date.now(); ; at += 1) {
    const time = new Date(at).toISOString().replace(/[-:.]/g, '');
    if (!(await exists(named(time)))) return time;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    // Whatever cannot be reached is not in the way.
    return false;
  }
}
