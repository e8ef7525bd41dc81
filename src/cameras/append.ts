/** Adds a camera to the table: under the lock, one write from the end on, on the disk before it returns. */
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { LookoutError } from '../errors.ts';
import { fsyncFolder, makeFolder } from '../lib/files.ts';
import { lockFolderOrFile } from '../lib/lock.ts';
import type { CameraRow } from '../types.ts';
import { appendedBytes, readCameras } from './csv.ts';

const WAIT_MS = 10_000;

export async function appendCamera(file: string, row: CameraRow, signal: AbortSignal): Promise<void> {
  refuseFormulas(row);
  await makeFolder(dirname(file));
  const lock = await lockFolderOrFile(file, { waitMs: WAIT_MS }, signal);
  try {
    const handle = await open(file, 'a+');
    try {
      const bytes = await handle.readFile();
      const known = readCameras(bytes).rows.map(({ cameraID }) => cameraID.trim());
      if (known.includes(row.cameraID.trim())) throw new LookoutError('bad_request', 'Camera ID already exists');
      if (lock.compromised) await lock.expectHeld();
      await appendWhole(handle, bytes.length, appendedBytes(bytes, row));
    } finally {
      await handle.close();
    }
    await fsyncFolder(dirname(file));
  } finally {
    await lock.release();
  }
}

/** Half a row would count as a camera, at another place. */
async function appendWhole(handle: FileHandle, end: number, bytes: Buffer): Promise<void> {
  try {
    await handle.appendFile(bytes);
    await handle.sync();
  } catch (error) {
    // A disk that does not take this either has said why in the first error.
    await handle.truncate(end).then(() => handle.sync()).catch(() => undefined);
    throw error;
  }
}

/** Spreadsheets run what begins like a formula. Ids such as -1 and coordinates such as +12.5 begin like one and are none. */
function refuseFormulas(row: CameraRow): void {
  for (const [field, text] of Object.entries(row) as [string, string][]) {
    if (/^\s*[=@]|^\s*[+-].*[^\w.\s-]/.test(text)) {
      throw new LookoutError('bad_request', `${field} must not begin like a spreadsheet formula (=, @, or + and - with more than letters and digits)`);
    }
    if (/\p{Cc}/u.test(text)) throw new LookoutError('bad_request', `${field} must not have control characters such as tabs and line ends`);
  }
}
