/** The names of the files that hold records: the current one, rotated ones, and their indexes. */
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { extended, timeInName, timeOfName } from '../lib/aside.ts';
import { hasCode } from '../lib/files.ts';

export interface RecordFiles {
  /** The current file of records. */
  readonly predictions: string;
  /** Where indexes are kept. */
  readonly data_dir: string;
  /** What the index is called; as a rule `records.idx`. */
  readonly index?: string;
}

/** A file of records and its index. */
export interface Volume {
  readonly file: string;
  readonly index: string;
  /** When it was rotated, as its names say: by this rotated files are in order. The current one has none. */
  readonly time?: string;
  /** Each record is a member of a gzip file. */
  readonly gzip?: true;
}

/** The file that is written to, links followed: renaming it must move the records and not a link to them. */
export async function currentVolume({ predictions, data_dir, index = 'records.idx' }: RecordFiles): Promise<Volume> {
  const file = await realpath(predictions).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return predictions;
    throw error;
  });
  return { file, index: join(data_dir, index) };
}

/** Rotated files, newest first; of one that is there in both forms that which came later. */
export async function rotatedVolumes(current: Volume): Promise<readonly Volume[]> {
  const volumes = await allRotated(current);
  const packed = new Set(volumes.filter(({ gzip }) => gzip).map(({ file }) => file));
  return volumes.filter((volume) => volume.gzip ?? !packed.has(gzipped(volume).file));
}

/** Those that a crash left beside their gzipped form. */
export async function outlived(current: Volume): Promise<readonly Volume[]> {
  const shown = new Set((await rotatedVolumes(current)).map(({ file }) => file));
  return (await allRotated(current)).filter(({ file }) => !shown.has(file));
}

/** The same file once it is gzipped. */
export function gzipped(volume: Volume): Volume {
  return { ...volume, file: `${volume.file}.gz`, index: extended(volume.index, '.gz'), gzip: true };
}

async function allRotated(current: Volume): Promise<readonly Volume[]> {
  const names = (await readdir(dirname(current.file))).sort().reverse();
  return names.flatMap((name) => {
    const time = /-(\d{8}T\d{9}Z)(?:\.[^.]*)?(?:\.gz)?$/.exec(name)?.[1];
    const volume = time === undefined || Number.isNaN(timeOfName(time)) ? null : rotatedVolume(current, time);
    return volume ? [volume, gzipped(volume)].filter(({ file }) => basename(file) === name) : [];
  });
}

/** Whether it was written after the other, whatever became of that one. */
export function isBehind(volume: Volume, other: Volume): boolean {
  return other.time !== undefined && (volume.time === undefined || volume.time > other.time);
}

/** Names for the current file once it is rotated: behind those of all others, also where the clock was set back. */
export async function nextRotatedVolume(current: Volume): Promise<Volume> {
  const [newest] = await allRotated(current);
  const earliest = newest?.time === undefined ? 0 : timeOfName(newest.time) + 1;
  return rotatedVolume(current, timeInName(Math.max(Date.now(), earliest)));
}

function rotatedVolume({ file, index }: Volume, time: string): Volume {
  return { file: extended(file, `-${time}`), index: extended(index, `-${time}`), time };
}
