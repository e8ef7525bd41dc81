/** Names for what is put aside beside a file, and the way there: nothing that cannot be read is thrown away. */
import { access, rename, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { fsyncFolder, linkOrCopy, removeIfPresent } from './files.ts';

/** A free name beside `file`, e.g. `predictions.damaged-20250101T120000000Z.json`. */
export async function nameAside(file: string, word: 'damaged' | 'aside'): Promise<string> {
  const named = (time: string): string => extended(file, `.${word}-${time}`);
  return named(await freeTime(named));
}

/** Moves a damaged file or folder aside; answers where it lies now. */
export async function putAside(path: string): Promise<string> {
  const aside = await nameAside(path, 'damaged');
  await rename(path, aside);
  await fsyncFolder(dirname(path));
  return aside;
}

/**
 * Has a damaged file replaced, and keeps it as it was beside it; answers where. Where it cannot be replaced, nothing stays:
 * every try would leave one more.
 */
export async function replaceKeeping(file: string, replace: () => Promise<void>): Promise<string> {
  const { ino } = await stat(file);
  const aside = await nameAside(file, 'damaged');
  await linkOrCopy(file, aside);
  try {
    await replace();
  } catch (error) {
    // A step behind the replacing may have failed: then this is all that is left of it.
    if ((await stat(file)).ino === ino) await removeIfPresent(aside);
    throw error;
  }
  return aside;
}

/** `records.idx` extended by `-1` is `records-1.idx`. */
export function extended(path: string, by: string): string {
  return join(dirname(path), `${basename(path, extname(path))}${by}${extname(path)}`);
}

/** Now, or the first millisecond after it for which `named` gives a name that is free. */
async function freeTime(named: (time: string) => string): Promise<string> {
  for (let at = Date.now(); ; at += 1) {
    const time = timeInName(at);
    if (!(await exists(named(time)))) return time;
  }
}

/** E.g. `20250101T120000000Z`; names in which only this differs are in order of time. */
export function timeInName(at: number): string {
  return new Date(at).toISOString().replace(/[-:.]/g, '');
}

/** The same backwards; NaN: that is no time. */
export function timeOfName(time: string): number {
  return Date.parse(time.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\d)(\d{3}Z)$/, '$1-$2-$3:$4:$5.$6'));
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
