/** Names for what is put aside beside a file, and the way there: nothing that cannot be read is thrown away. */
import { access, rename } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { fsyncFolder } from './files.ts';

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

/** `records.idx` extended by `-1` is `records-1.idx`. */
export function extended(path: string, by: string): string {
  return join(dirname(path), `${basename(path, extname(path))}${by}${extname(path)}`);
}

/** Now, or the first millisecond after it for which `named` gives a name that is free. */
export async function freeTime(named: (time: string) => string): Promise<string> {
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
