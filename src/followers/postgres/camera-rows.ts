/** Where cameras are: by the table of cameras, and by what is delivered, whose newest word counts. */
import type { CameraRow, Item } from '../../types.ts';
import { parseCoordinate } from '../../words/coordinate.ts';
import { isEntry } from '../../words/items.ts';
import { eventPlace } from './event-rows.ts';
import { recordPlace } from './record-rows.ts';
import type { RowOf } from './tables.ts';
import { cleaned, placeOf, timeOf } from './values.ts';

export function listedCameras(rows: readonly CameraRow[]): readonly RowOf<'cameras'>[] {
  const cameras = rows.map(({ cameraID, latitude, longitude }) => rowOf(cameraID.trim(), placeOf(parseCoordinate(latitude, 90), parseCoordinate(longitude, 180)), null));
  // Where a camera stands twice its first row counts, as for records.
  return newest(cameras.toReversed());
}

export function deliveredCameras(items: readonly Item[]): readonly RowOf<'cameras'>[] {
  // Who reviews an event, or sums up a day, has not seen its camera.
  return newest(items.filter((item) => item.log === 'records' || isEntry(item)).map((item) => rowOf(item.camera_id, item.log === 'events' ? eventPlace(item) : recordPlace(item), timeOf(item.time))));
}

type Camera = RowOf<'cameras'> & { readonly id: string; readonly last_seen_at: string | null };

function rowOf(id: string, place: ReturnType<typeof placeOf>, last_seen_at: string | null): Camera {
  return { id: cleaned(id), latitude: place?.latitude ?? null, longitude: place?.longitude ?? null, last_seen_at };
}

/** One of each, as a statement may name a row only once. */
function newest(cameras: readonly Camera[]): readonly Camera[] {
  const found = new Map<string, Camera>();
  for (const camera of cameras.filter(({ id }) => id !== '')) {
    const known = found.get(camera.id);
    const later = known === undefined || (camera.last_seen_at ?? '') >= (known.last_seen_at ?? '') ? camera : known;
    const other = later === camera ? known : camera;
    found.set(camera.id, later.latitude === null && other ? { ...later, latitude: other.latitude, longitude: other.longitude } : later);
  }
  return [...found.values()];
}
