/** Where things of a camera have alerted, by rule and class: what is still there is the same thing. Forgotten after an hour of looks without it. */
import type { Box, Detection, FrameFacts } from '../types.ts';

/** Shares of the picture's width and height: pictures may be stored in another size tomorrow. */
export type Place = Box;

export interface Stationary {
  /** Whether something has alerted at each of these places. What has no box has no place. */
  isKnown(rule: string, name: string, places: readonly (Place | null)[]): boolean;
  alerted(rule: string, name: string, model: string, places: readonly (Place | null)[]): void;
  /** A look of the model, so long after its last one. */
  looked(model: string, found: (name: string) => readonly (Place | null)[], sinceMs: number): void;
  state(): readonly StationaryState[];
}

/** Without its rule, as it was written once, a place counts for every rule. */
export type StationaryState = readonly [name: string, model: string, place: Place, unseenMs: number, rule?: string | null];

/** Of a rule and class. */
interface Known {
  readonly rule: string | null;
  readonly name: string;
  readonly places: readonly KnownPlace[];
}

interface KnownPlace {
  readonly model: string;
  readonly place: Place;
  unseenMs: number;
}

const SAME = 0.7;
const FORGOTTEN_MS = 3_600_000;
/** Rules and classes. */
const MOST = 300;
const MOST_PLACES = 50;

export function createStationary(state: readonly StationaryState[]): Stationary {
  const known = new Map<string, Known>();

  function add(rule: string | null, name: string, one: KnownPlace): void {
    const key = keyOf(rule, name);
    const places = known.get(key)?.places ?? [];
    known.delete(key);
    known.set(key, { rule, name, places: [...places, one].slice(-MOST_PLACES) });
    const [oldest] = known.keys();
    if (known.size > MOST && oldest !== undefined) known.delete(oldest);
  }
  for (const [name, model, place, unseenMs, rule = null] of state) add(rule, name, { model, place, unseenMs });
  const isAt = (rule: string, name: string, place: Place | null): boolean => place !== null
    && [rule, null].some((whose) => known.get(keyOf(whose, name))?.places.some((other) => overlap(other.place, place) >= SAME) ?? false);

  return {
    isKnown: (rule, name, places) => places.length > 0 && places.every((place) => isAt(rule, name, place)),
    alerted(rule, name, model, places) {
      for (const place of places) if (place && !isAt(rule, name, place)) add(rule, name, { model, place, unseenMs: 0 });
    },
    looked(model, found, sinceMs) {
      for (const [key, { rule, name, places }] of known) {
        const there = found(name);
        for (const one of places) {
          if (there.some((place) => place !== null && overlap(place, one.place) >= SAME)) one.unseenMs = 0;
          else if (one.model === model) one.unseenMs += sinceMs;
        }
        const left = places.filter(({ unseenMs }) => unseenMs < FORGOTTEN_MS);
        if (left.length === 0) known.delete(key);
        else if (left.length < places.length) known.set(key, { rule, name, places: left });
      }
    },
    state: () => [...known.values()].flatMap(({ rule, name, places }) => places.map(({ model, place, unseenMs }) => [name, model, place, unseenMs, rule] as const)),
  };
}

const keyOf = (rule: string | null, name: string): string => `${rule ?? ''}\n${name}`;

export function placeOf({ box }: Pick<Detection, 'box'>, { width, height }: Pick<FrameFacts, 'width' | 'height'>): Place | null {
  return box ? [box[0] / width, box[1] / height, box[2] / width, box[3] / height] : null;
}

/** Of what the two cover together, the share that both cover. */
export function overlap(a: Place, b: Place): number {
  const both = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const sizeOf = ([x1, y1, x2, y2]: Place): number => Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
  const all = sizeOf(a) + sizeOf(b) - both;
  return all === 0 ? 0 : both / all;
}
