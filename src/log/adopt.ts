/** Takes over a file of records as it is found: begun, continued, repaired or kept aside, never reset; index in order. */
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { nameAside } from '../lib/aside.ts';
import { fsyncFolder, giveAccess, openIfPresent, readAt, removeIfPresent, writeAt, type FileAccess } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { catchUp } from './catch-up.ts';
import { replaceIndex } from './index-file.ts';
import type { Layout } from './layout.ts';
import { rebuild, recordLines } from './rebuild.ts';
import type { Volume } from './shelf.ts';

/** The end of a file of records as somebody left it. */
export interface Tail {
  /** Where the last record ends, or would. */
  readonly end: number;
  /** The bytes from there on, up to the end of the file. */
  readonly closing: Buffer;
  readonly empty: boolean;
  /** Lookout began this file. */
  readonly ours: boolean;
  /** When the file was written last. */
  readonly mtimeMs: number;
}

/** Remains larger than this are kept without a look at them. */
const REMAINS = 65_536;

/** `follows`: who may read a file that is begun, because they could read the one before; null: as new files are. */
export async function adopt(volume: Volume, layout: Layout, log: Log, follows: FileAccess | null, signal: AbortSignal): Promise<Tail> {
  const handle = await openIfPresent(volume.file, 'r+');
  if (!handle) return begin(volume, layout, follows);
  try {
    const { entries, end, whole, size } = await catchUp(handle, volume.index, layout, signal);
    if (entries.some(({ isRecord }) => !isRecord) || (!whole && await goesOn(handle, end, layout))) {
      if (await rebuild(handle, volume, layout, log, signal)) return await adopt(volume, layout, log, follows, signal);
    }
    if (end === null) {
      if (await isWorthKeeping(handle, 0, size, layout)) await setAside(volume, log);
      return await begin(volume, layout, await handle.stat());
    }
    if (!whole) await repair(handle, volume, layout, end, size, log);
    const { mtimeMs } = await handle.stat();
    return { end, closing: await readRest(handle, end), empty: false, ours: await isOurs(handle, layout), mtimeMs };
  } finally {
    await handle.close();
  }
}

async function begin({ file, index }: Volume, layout: Layout, follows: FileAccess | null): Promise<Tail> {
  // In place: nothing is there that could be lost, and a file mounted into a container cannot be replaced.
  const handle = await open(file, 'w');
  let mtimeMs: number;
  try {
    if (follows) await giveAccess(handle, follows);
    await handle.writeFile(layout.opening + layout.closingEmpty);
    await handle.sync();
    ({ mtimeMs } = await handle.stat());
  } finally {
    await handle.close();
  }
  await fsyncFolder(dirname(file));
  await replaceIndex(index, []);
  return { end: layout.opening.length, closing: Buffer.from(layout.closingEmpty), empty: true, ours: true, mtimeMs };
}

/** Whether records stand behind what is damaged, which then is not the end of the file. */
async function goesOn(handle: FileHandle, end: number | null, layout: Layout): Promise<boolean> {
  if (end === null && !(await isOurs(handle, layout))) return false;
  for await (const _record of recordLines(handle, end ?? 0)) return true;
  return false;
}

async function setAside({ file }: Volume, log: Log): Promise<void> {
  const aside = await nameAside(file, 'aside');
  await rename(file, aside);
  await fsyncFolder(dirname(file));
  log.warn(`${file} holds no records that can be continued; it is kept as ${aside} and a new file is begun`);
}

/** Closes the file after its last whole record; what stood there is copied first, so a crash on the way loses nothing. */
async function repair(handle: FileHandle, { file }: Volume, layout: Layout, end: number, size: number, log: Log): Promise<void> {
  if (await isWorthKeeping(handle, end, size, layout)) {
    const damaged = await nameAside(file, 'damaged');
    const copy = await open(damaged, 'wx');
    try {
      // The stream flushes to disk and closes.
      await pipeline(handle.createReadStream({ start: end, autoClose: false }), copy.createWriteStream({ flush: true }));
    } catch (error) {
      // Every try would leave one more.
      await removeIfPresent(damaged);
      throw error;
    }
    await fsyncFolder(dirname(file));
    log.warn(`${file} was damaged after its last whole record; the ${size - end} bytes from there on are kept as ${damaged}`);
  } else {
    log.warn(`${file} was not closed after its last record; it is closed now`);
  }
  const closing = Buffer.from(layout.closing);
  await writeAt(handle, end, closing);
  await handle.truncate(end + closing.length);
  await handle.sync();
}

async function isWorthKeeping(handle: FileHandle, from: number, size: number, { nothing }: Layout): Promise<boolean> {
  return size - from > REMAINS || !nothing.test((await readAt(handle, from, size - from)).toString('latin1'));
}

async function isOurs(handle: FileHandle, { ours }: Layout): Promise<boolean> {
  const head = (await readAt(handle, 0, 16)).toString('latin1');
  return ours.some((beginning) => head.startsWith(beginning));
}

async function readRest(handle: FileHandle, from: number): Promise<Buffer> {
  return readAt(handle, from, (await handle.stat()).size - from);
}
