/** Where cameras stand: the CSV of the Flask orchestrator as its files really are, read again whenever it changes. */
import { stat } from 'node:fs/promises';

import { LookoutError } from '../errors.ts';
import { hasCode, readIfPresent } from '../lib/files.ts';
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

const NO_TABLE: CameraText = { rows: [], trouble: null, unreadable: [], ended: false };
/** So long a table without an end, or none, must have stood as it is: before, somebody is saving it. */
const SETTLED_MS = 2000;

export function createCameraTable({ file, log }: { readonly file: string; readonly log: Log }): CameraTable {
  /** `stamp` is null until it is read for the first time. */
  let read: CameraText & { readonly stamp: string | null } = { stamp: null, ...NO_TABLE };
  /** As the file was found last, and when it was found so first. */
  let found = { stamp: '', at: 0 };
  const warned = new Set<string>();

  const table = async (): Promise<CameraText> => {
    const { stamp, changedAt } = await stampOf(file);
    if (stamp === read.stamp) return read;
    if (stamp !== found.stamp) found = { stamp, at: performance.now() };
    const bytes = await readIfPresent(file);
    const text = bytes ? readCameras(bytes) : NO_TABLE;
    const isSettled = Math.max(performance.now() - found.at, Date.now() - changedAt) >= SETTLED_MS;
    if (read.stamp === null || text.ended || isSettled) read = { stamp, ...text };
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

/** Changes whenever the file does; `changedAt` in ms since 1970, Infinity where there is no file: who knows since when. */
async function stampOf(file: string): Promise<{ readonly stamp: string; readonly changedAt: number }> {
  try {
    const { mtimeNs, mtimeMs, size, ino } = await stat(file, { bigint: true });
    return { stamp: [mtimeNs, size, ino].join(), changedAt: Number(mtimeMs) };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { stamp: 'none', changedAt: Infinity };
    throw new LookoutError('internal', `the camera table ${file} cannot be read: ${String(error)}`, { cause: error });
  }
}
