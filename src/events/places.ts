/** Where cameras are, looked up now and then: events do not wait for that. */
import type { Clock } from '../lib/clock.ts';
import type { Seen } from './seen.ts';

type Place = Seen['place'];

const EVERY_MS = 30_000;

/** Answers what is known of a camera's place, and has it looked up where that is not fresh. */
export function createPlaces(placeOf: (camera: string) => Promise<Place>, clock: Clock): (camera: string) => Place {
  const places = new Map<string, { readonly place: Place; readonly at: number }>();
  return (camera) => {
    const known = places.get(camera);
    const place = known?.place ?? null;
    const at = clock.monotonic();
    if (known && at - known.at < EVERY_MS) return place;
    places.set(camera, { place, at });
    placeOf(camera).then((found) => { places.set(camera, { place: found, at: clock.monotonic() }); }, () => undefined);
    return place;
  };
}
