/** The names of the files that hold records: the current one, rotated ones, and their indexes. */
import { open, readdir, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, parse, resolve } from 'node:path';
import { LookoutError } from '../errors.ts';
import { measure } from '../lib/amount.ts';
import { extended, timeInName, timeOfName } from '../lib/aside.ts';
import { hasCode, isThere } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { textBytesIn } from './members.ts';

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
  const file = await linkedFile(predictions);
  return { file, index: join(data_dir, index) };
}

/** What a path leads to, also where nothing is there yet. Its folder is another's to make: it may be a disk that is not mounted. */
async function linkedFile(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  const link = await readlink(path).catch((error: unknown) => {
    // No link, or a file that came meanwhile.
    if (hasCode(error, 'ENOENT', 'EINVAL')) return null;
    throw error;
  });
  if (link === null) return path;
  const target = resolve(await realpath(dirname(path)), link);
  if (!(await isThere(dirname(target)))) throw new LookoutError('config_invalid', `${path} is a link to ${target}, whose folder is not there: mount its disk, or make the folder`);
  return linkedFile(target);
}

/** Rotated files, newest first; of one that is there in both forms the gzipped one, unless there is less in it. */
export async function rotatedVolumes(current: Volume): Promise<readonly Volume[]> {
  const volumes = await allRotated(current);
  const left = new Set<Volume>();
  for (const { plain, packed } of pairsIn(volumes)) left.add((await comparedToPlain(plain, packed)) < 0 ? packed : plain);
  return volumes.filter((volume) => !left.has(volume));
}

export interface Pair {
  readonly plain: Volume;
  readonly packed: Volume;
}

/** Files that are there in both forms: by a crash between two steps, or by another program that gzips or unpacks them. */
export async function pairs(current: Volume): Promise<readonly Pair[]> {
  return pairsIn(await allRotated(current));
}

function pairsIn(volumes: readonly Volume[]): readonly Pair[] {
  const packed = new Map(volumes.filter(({ gzip }) => gzip).map((volume) => [volume.time, volume]));
  return volumes.flatMap((plain) => {
    const other = plain.gzip ? undefined : packed.get(plain.time);
    return other ? [{ plain, packed: other }] : [];
  });
}

/** How many bytes of text the gzipped form has more than the plain one. -Infinity: it is unfinished, of another program, or cannot be read. */
export async function comparedToPlain(plain: Volume, packed: Volume): Promise<number> {
  try {
    const handle = await open(packed.file, 'r');
    try {
      return (await textBytesIn(handle) ?? -Infinity) - (await measure(plain.file)).bytes;
    } finally {
      await handle.close();
    }
  } catch {
    // Whatever keeps it from being read, the plain one is there.
    return -Infinity;
  }
}

const GZIP_ENDING = '.gz';
const TIME_LENGTH = timeInName(0).length;
/** Times that the current file is read where it is rotated meanwhile. */
const READS = 10;

/**
 * What `read` finds in each file, the newest first. None is passed over that is rotated or gzipped meanwhile, nor read twice:
 * those count as rotated that were when the current file had been read, and a file whose index went is read as gzipped.
 */
export async function* newestVolumeFirst<Found>(current: Volume, read: (volume: Volume) => Promise<Found>): AsyncGenerator<Found, void, void> {
  let rotated = await rotatedVolumes(current);
  for (let reads = 1; ; reads += 1) {
    const found = await read(current);
    const before = rotated;
    rotated = await rotatedVolumes(current);
    if (rotated[0]?.time !== before[0]?.time && reads < READS) continue;
    yield found;
    break;
  }
  for (const volume of rotated) {
    const found = await read(volume);
    yield volume.gzip || await isThere(volume.index) ? found : await read(gzipped(volume));
  }
}

/** As `read`; a rotated file that cannot be read has nothing in it, and that is said: what is in all others is found. */
export function ofReadable<Found>(read: (volume: Volume) => Promise<Found>, nothing: Found, log: Log): (volume: Volume) => Promise<Found> {
  return (volume) => read(volume).catch((error: unknown) => {
    if (volume.time === undefined) throw error;
    log.repeated('warn', 'a rotated file cannot be read, and what is in it is not found', volume.file, { reason: String(error) });
    return nothing;
  });
}

/** Those without an index: another Lookout rotated or gzipped them, or a step on the way failed. */
export async function unindexed(current: Volume): Promise<readonly Volume[]> {
  const names = new Set(await readdir(dirname(current.index)));
  return (await rotatedVolumes(current)).filter(({ index }) => !names.has(basename(index)));
}

/** The same file once it is gzipped. */
export function gzipped(volume: Volume): Volume {
  return { ...volume, file: `${volume.file}${GZIP_ENDING}`, index: extended(volume.index, GZIP_ENDING), gzip: true };
}

/** What it is called, or was before it was gzipped. */
export const plainFile = ({ file, gzip }: Volume): string => (gzip ? file.slice(0, -GZIP_ENDING.length) : file);

async function allRotated(current: Volume): Promise<readonly Volume[]> {
  const { name: stem, ext } = parse(current.file);
  // There may be thousands, and this is asked at every rotation by each who reads.
  return timed(await readdir(dirname(current.file)), `${stem}-`).flatMap(({ time, ending }) => {
    const volume = rotatedVolume(current, time);
    switch (ending) {
      case ext: return [volume];
      case `${ext}${GZIP_ENDING}`: return [gzipped(volume)];
      default: return [];
    }
  });
}

/** Those of the names that are this beginning, a time and an ending, the newest first. */
export function timed(names: readonly string[], beginning: string): readonly { readonly name: string; readonly time: string; readonly ending: string }[] {
  const end = beginning.length + TIME_LENGTH;
  return names.filter((name) => name.startsWith(beginning)).sort().reverse().flatMap((name) => {
    const time = name.slice(beginning.length, end);
    return Number.isNaN(timeOfName(time)) ? [] : [{ name, time, ending: name.slice(end) }];
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

export function rotatedVolume({ file, index }: Volume, time: string): Volume {
  return { file: extended(file, `-${time}`), index: extended(index, `-${time}`), time };
}
