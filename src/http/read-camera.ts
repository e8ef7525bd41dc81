/** Reads a camera to be added: an id and coordinates in degrees, as numbers or as text. */
import { LookoutError } from '../errors.ts';
import type { CameraRow, Json } from '../types.ts';
import { type Fields, truthy } from './body.ts';
import { readCameraId } from './read-start.ts';

export function readCamera(fields: Fields): CameraRow {
  const { cameraID, latitude, longitude } = fields;
  const id = typeof cameraID === 'string' ? cameraID.trim() : cameraID;
  if (!truthy(id) || latitude === undefined || latitude === null || longitude === undefined || longitude === null) {
    throw new LookoutError('bad_request', 'Missing cameraID, latitude, or longitude');
  }
  return {
    cameraID: String(readCameraId(id, 'cameraID')),
    latitude: degrees(latitude, 'latitude', 90),
    longitude: degrees(longitude, 'longitude', 180),
  };
}

/** The text as it was sent. The Flask orchestrator took any text here, and its worker died of it later. */
function degrees(value: Json, field: string, most: number): string {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) || Math.abs(Number(text)) > most) {
    throw new LookoutError('bad_request', `${field} must be a number of degrees from -${most} to ${most}`);
  }
  return text;
}
