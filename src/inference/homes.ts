/** Which runner of a model with a memory is to remember each stream: streams are dealt out evenly, in the order in which they are first seen. Passive. */

export interface Homes {
  /** Of so many runners the number of the stream's own. */
  of(session: string, runners: number): number;
}

/** More than any model can remember; the stream that was not seen for longest is forgotten first. */
const MOST = 10_000;

export function createHomes(): Homes {
  const places = new Map<string, number>();
  let next = 0;
  return {
    of(session, runners) {
      const place = places.get(session) ?? next++;
      places.delete(session);
      places.set(session, place);
      const [oldest] = places.keys();
      if (places.size > MOST && oldest !== undefined) places.delete(oldest);
      return place % runners;
    },
  };
}
