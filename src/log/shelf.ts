/** The names of the files that hold records: the current one, rotated ones, and their indexes. */
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { extended, freeTime } from '../lib/aside.ts';
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

function rotatedVolume({ file, index }: Volume, time: string): Volume {
  return { file: extended(file, `-${time}`), index: extended(index, `-${time}`) };
}
