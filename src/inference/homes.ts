/** Which runner of a model with a memory is to remember the streams of each camera: cameras are dealt out evenly, in the order in which they are first seen, and keep their place when a stream is started again. Passive. */

export interface Homes {
  /** Of so many runners the number of the camera's own. */
  of(camera: string, runners: number): number;
}

/** More than any model can remember; the camera that was not seen for longest is forgotten first. */
const MOST = 10_000;

export function createHomes(): Homes {
  const places = new Map<string, number>();
  let next = 0;
  return {
    of(camera, runners) {
      const place = places.get(camera) ?? next++;
      places.delete(camera);
      places.set(camera, place);
      const [oldest] = places.keys();
      if (places.size > MOST && oldest !== undefined) places.delete(oldest);
      return place % runners;
    },
  };
}
