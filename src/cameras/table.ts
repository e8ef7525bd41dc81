/** Where cameras stand: the CSV of the Flask orchestrator as its files really are, read again whenever it changes. */
import { readFile, stat } from 'node:fs/promises';

import { LookoutError } from '../errors.ts';
import { hasCode } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import type { Camera, CameraRow } from '../types.ts';
import { parseCoordinate } from '../words/coordinate.ts';
import { appendCamera } from './append.ts';
import { readCameras, type CameraText } from './csv.ts';

export interface CameraTable {
  /** Never throws: what is unknown or unusable is null, with one warning per camera and cause. */
  readonly lookup: (id: string) => Promise<Camera>;
  /** Every row as its text stands in the file. */
  rows(): Promise<readonly CameraRow[]>;
  add(row: CameraRow, signal: AbortSignal): Promise<void>;
}

const NO_TABLE: CameraText = { rows: [], trouble: null, unreadable: [] };

export function createCameraTable({ file, log }: { readonly file: string; readonly log: Log }): CameraTable {
  let read: CameraText & { readonly stamp: string } = { stamp: '', ...NO_TABLE };
  const warned = new Set<string>();

  const table = async (): Promise<CameraText> => {
    const stamp = await stampOf(file);
    if (stamp === null) return NO_TABLE;
    if (stamp !== read.stamp) read = { stamp, ...readCameras(await readFile(file)) };
    return read;
  };

  const warnOnce = (message: string): null => {
    if (!warned.has(message)) log.warn(message);
    warned.add(message);
    return null;
  };

  return {
    rows: async () => (await table()).rows,
    async lookup(id) {
      const { rows, trouble, unreadable } = await table().catch((error: unknown) => {
        warnOnce(`the camera table ${file} cannot be read, so its last good state is used: ${String(error)}`);
        return read;
      });
      for (const line of unreadable) warnOnce(`a line of the camera table ${file} is left out, because it is no row: ${line.slice(0, 200)}`);
      if (trouble !== null) {
        warnOnce(`records have no coordinates from the camera table ${file}: ${trouble}`);
        return { id, latitude: null, longitude: null };
      }
      const row = rows.find(({ cameraID }) => cameraID === id) ?? rows.find(({ cameraID }) => cameraID.trim() === id.trim());
      if (row === undefined) {
        warnOnce(`camera ${id} is not in ${file}: its records have no coordinates; add a row for it`);
        return { id, latitude: null, longitude: null };
      }
      const coordinate = (field: 'latitude' | 'longitude', limit: number): number | null =>
        parseCoordinate(row[field], limit) ??
        warnOnce(`camera ${id} has the ${field} "${row[field]}" in ${file}, which is no number from -${limit} to ${limit}: its records have none`);
      return { id, latitude: coordinate('latitude', 90), longitude: coordinate('longitude', 180) };
    },
    async add(row, signal) {
      await appendCamera(file, row, signal);
    },
  };
}

/** Changes whenever the file does; null when there is none. */
async function stampOf(file: string): Promise<string | null> {
  try {
    const { mtimeNs, size, ino } = await stat(file, { bigint: true });
    return [mtimeNs, size, ino].join();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw new LookoutError('internal', `the camera table ${file} cannot be read: ${String(error)}`, { cause: error });
  }
}
