/**
 * A model's door: the only place that lets go of looks. It holds a bounded number of frames of each camera, of which the
 * newest stay; calls are filled with the camera first that was served least. Passive: told the time, it never waits.
 *
 * What an earlier run left, or a replay brought, waits in a line of its own: it is never let go, goes when nothing live
 * is there, and has every tenth call for itself. What is asked again by itself after a call that failed goes before all.
 */
import { createCameraLine, type Call, type CameraLine, type Waiting } from './camera-line.ts';

export interface Door<Item extends Waiting> {
  /** Whether anything waits. */
  readonly empty: boolean;
  readonly items: readonly Item[];
  /** Cameras of which something waits that may be let go. */
  readonly cameras: readonly string[];
  add(item: Item, line: 'live' | 'recovered' | 'again'): void;
  /** False: it is not there (any more). */
  remove(item: Item): boolean;
  /** Lets go of what there is no room for, and of what of these cameras has waited too long while a newer one of its stream is there. */
  tidy(cameras: Iterable<string>, now: number, bounds: Bounds<Item>): readonly Item[];
  /** Takes out what goes into the next call; nothing: nobody may go. */
  take(call: Call<Item>): readonly Item[];
}

export interface Bounds<Item> {
  /** Items of the item's camera that may wait. */
  readonly perCamera: (item: Item) => number;
  /** Items in all. */
  readonly total: number;
  /** Milliseconds that an item waits while a newer one of its stream is there. */
  readonly patienceMs: (item: Item) => number;
}

/** Calls of live frames in a row while others wait. */
const LIVE_CALLS = 9;

export function createDoor<Item extends Waiting>(): Door<Item> {
  const live = createCameraLine<Item>();
  const recovered = createCameraLine<Item>();
  let again: readonly Item[] = [];
  let liveCalls = 0;

  function takeAgain({ mayGo }: Call<Item>): readonly Item[] {
    const item = again.find(mayGo);
    if (!item) return [];
    again = again.filter((other) => other !== item);
    return [item];
  }

  /** Nobody overtakes a frame of its own stream. */
  const behindNone = (call: Call<Item>): Call<Item> => {
    const ahead = new Set(again.map(({ session }) => session));
    return ahead.size === 0 ? call : { ...call, mayGo: (item) => !ahead.has(item.session) && call.mayGo(item) };
  };

  function takeFrom(line: CameraLine<Item>, call: Call<Item>): readonly Item[] {
    const taken = line.take(call);
    if (taken.length > 0) liveCalls = line === live ? liveCalls + 1 : 0;
    return taken;
  }

  return {
    get empty() {
      return live.empty && recovered.empty && again.length === 0;
    },
    get cameras() {
      return live.cameras;
    },
    get items() {
      return [...again, ...live.items, ...recovered.items];
    },
    add(item, line) {
      if (line === 'again') again = [...again, item];
      else (line === 'live' ? live : recovered).add(item);
    },
    remove(item) {
      if (live.remove(item) || recovered.remove(item)) return true;
      const before = again.length;
      again = again.filter((other) => other !== item);
      return again.length < before;
    },
    tidy(cameras, now, { perCamera, total, patienceMs }) {
      const gone: Item[] = [];
      const letGo = (item: Item): void => {
        live.remove(item);
        gone.push(item);
      };
      const isReplaced = (item: Item, place: number, all: readonly Item[]): boolean => (
        item.replaceable && now - item.at > patienceMs(item) && all.slice(place + 1).some(({ session }) => session === item.session));
      for (const camera of cameras) {
        live.of(camera).filter(isReplaced).forEach(letGo);
        const own = live.of(camera).filter(({ replaceable }) => replaceable);
        const newest = own.at(-1);
        if (newest) own.slice(0, Math.max(0, own.length - perCamera(newest))).forEach(letGo);
      }
      while (live.replaceable > total) {
        const oldest = live.fullest().find(({ replaceable }) => replaceable);
        if (!oldest) break;
        letGo(oldest);
      }
      return gone;
    },
    take(call) {
      const first = takeAgain(call);
      if (first.length > 0) return first;
      const rest = behindNone(call);
      const order = liveCalls >= LIVE_CALLS ? [recovered, live] : [live, recovered];
      for (const line of order) {
        const taken = takeFrom(line, rest);
        if (taken.length > 0) return taken;
      }
      return [];
    },
  };
}
