/** Where cameras stand: the CSV of the Flask orchestrator as its files really are, read again whenever it changes. */
import { readFile, stat } from 'node:fs/promises';

import { LookoutError } from '../errors.ts';
import { hasCode } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import type { Camera, CameraRow } from '../types.ts';
import { appendCamera } from './append.ts';
import { parseCameras } from './csv.ts';

export interface CameraTable {
  /** Never throws: what is unknown or unusable is null, with one warning per camera and cause. */
  readonly lookup: (id: string) => Promise<Camera>;
  /** Every row as its text stands in the file. */
  rows(): Promise<readonly CameraRow[]>;
  add(row: CameraRow, signal: AbortSignal): Promise<void>;
}

export function createCameraTable({ file, log }: { readonly file: string; readonly log: Log }): CameraTable {
  let read: { readonly stamp: string; readonly rows: readonly CameraRow[] } = { stamp: '', rows: [] };
  const warned = new Set<string>();

  const rows = async (): Promise<readonly CameraRow[]> => {
    const stamp = await stampOf(file);
    if (stamp === null) return [];
    if (stamp !== read.stamp) read = { stamp, rows: parseCameras(await readFile(file, 'utf8')) };
    return read.rows;
  };

  const warnOnce = (message: string): null => {
    if (!warned.has(message)) log.warn(message);
    warned.add(message);
    return null;
  };

  return {
    rows,
    async lookup(id) {
      const known = await rows().catch((error: unknown) => {
        warnOnce(`the camera table ${file} cannot be read, so its last good state is used: ${String(error)}`);
        return read.rows;
      });
      const row = known.find(({ cameraID }) => cameraID === id) ?? known.find(({ cameraID }) => cameraID.trim() === id.trim());
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

function parseCoordinate(text: string, limit: number): number | null {
  if (!/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text)) return null;
  const value = Number(text);
  return Math.abs(value) <= limit ? value : null;
}
