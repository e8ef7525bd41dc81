/** Which failures are the machine's of the moment, and pass: nothing that meets one is to be given up for it. The one place that decides. */
import { errorInfo, LookoutError } from '../errors.ts';

/** The file system has no room left, or none for this user. */
const NO_ROOM: readonly string[] = ['ENOSPC', 'EDQUOT'];
/** It takes nothing at all: the disk fails, or was made read-only for that. */
const DISK: readonly string[] = [...NO_ROOM, 'EIO', 'EROFS'];
/** Out of descriptors, memory, processes or buffers. */
const PASSING: readonly string[] = [...DISK, 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'ENOBUFS'];

/** Also of an error that was made for another: its cause decides. */
export function isTransient(error: unknown): boolean {
  return codesOf(error).some((code) => PASSING.includes(code));
}

export function isNoRoom(error: unknown): boolean {
  return codesOf(error).some((code) => NO_ROOM.includes(code));
}

/** Whether it is for the disk that something could not be written. */
export function isOfDisk(error: unknown): boolean {
  return codesOf(error).some((code) => DISK.includes(code));
}

/** What a disk refuses is no fault of the program's, and is told by its own code; anything else as it is. */
export function asOfDisk(error: unknown): unknown {
  if (error instanceof LookoutError || !isOfDisk(error)) return error;
  return new LookoutError(isNoRoom(error) ? 'disk_full' : 'disk_failed', errorInfo(error).message, { cause: error });
}

function codesOf(error: unknown, depth = 0): readonly string[] {
  if (!(error instanceof Error) || depth > 10) return [];
  const own = 'code' in error ? [String(error.code)] : [];
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
  return [...own, ...inner.flatMap((one) => codesOf(one, depth + 1))];
}
