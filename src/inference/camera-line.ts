/** A line of what waits at a door, by camera. Within a stream it keeps the order of capture. Passive. */
import { createTurnsOfCameras } from './turns-of-cameras.ts';

/** A frame that waits, or for models that look by batch a whole batch. */
export interface Waiting {
  readonly camera: string;
  readonly session: string;
  /** Of its first frame. */
  readonly sequence: number;
  readonly frames: number;
  /** Of its pictures, e.g. `1920x1080`: models may want calls of one size. */
  readonly size: string;
  /** May be let go for newer ones of its stream; others stay until they are taken. */
  readonly replaceable: boolean;
  /** When it came, in monotonic milliseconds. */
  readonly at: number;
}

/** What one call may hold. */
export interface Call<Item> {
  /** Frames at the most; an item that has more by itself fills a call. */
  readonly room: number;
  /** Whether it may hold frames of several streams and sizes. */
  readonly mix: boolean;
  readonly mayGo: (item: Item) => boolean;
}

export interface CameraLine<Item extends Waiting> {
  /** Items that may be let go. */
  readonly replaceable: number;
  readonly items: readonly Item[];
  readonly cameras: readonly string[];
  readonly empty: boolean;
  add(item: Item): void;
  /** False: it is not there. */
  remove(item: Item): boolean;
  of(camera: string): readonly Item[];
  /** The camera with the most items that may be let go. */
  fullest(): readonly Item[];
  /** Takes out what goes into the next call. */
  take(call: Call<Item>): readonly Item[];
}

export function createCameraLine<Item extends Waiting>(): CameraLine<Item> {
  const byCamera = new Map<string, Item[]>();
  const turns = createTurnsOfCameras();
  let replaceable = 0;

  function remove(item: Item): boolean {
    const own = byCamera.get(item.camera);
    const place = own?.indexOf(item) ?? -1;
    if (!own || place < 0) return false;
    own.splice(place, 1);
    if (item.replaceable) replaceable -= 1;
    if (own.length === 0) {
      byCamera.delete(item.camera);
      turns.leave(item.camera);
    }
    return true;
  }

  /** The next item that may go into a call which holds `taken` already. */
  function next({ room, mix, mayGo }: Call<Item>, taken: readonly Item[]): Item | null {
    const [first] = taken;
    const left = room - taken.reduce((sum, { frames }) => sum + frames, 0);
    const fits = (item: Item): boolean => (first === undefined || item.frames <= left) && mayGo(item);
    if (first !== undefined && left <= 0) return null;
    if (first !== undefined && !mix) {
      // In order: not past one of another size.
      const following = byCamera.get(first.camera)?.find(({ session }) => session === first.session);
      return following && following.size === first.size && fits(following) ? following : null;
    }
    let found: Item | null = null;
    for (const [camera, own] of byCamera) {
      if (found && !turns.isBefore(camera, found.camera)) continue;
      found = own.find(fits) ?? found;
    }
    return found;
  }

  return {
    get replaceable() {
      return replaceable;
    },
    get items() {
      return [...byCamera.values()].flat();
    },
    get cameras() {
      return [...byCamera.keys()];
    },
    get empty() {
      return byCamera.size === 0;
    },
    add(item) {
      const own = byCamera.get(item.camera) ?? [];
      byCamera.set(item.camera, own);
      turns.enter(item.camera);
      // What was captured earlier goes first, also when it comes back later.
      const place = own.findIndex(({ session, sequence }) => session === item.session && sequence > item.sequence);
      own.splice(place < 0 ? own.length : place, 0, item);
      if (item.replaceable) replaceable += 1;
    },
    remove,
    of: (camera) => byCamera.get(camera) ?? [],
    fullest() {
      const count = (items: readonly Item[]): number => items.filter((item) => item.replaceable).length;
      return [...byCamera.values()].reduce<readonly Item[]>((most, own) => (count(own) > count(most) ? own : most), []);
    },
    take(call) {
      const taken: Item[] = [];
      for (let item = next(call, taken); item; item = next(call, taken)) {
        taken.push(item);
        turns.served(item.camera, item.frames);
        remove(item);
      }
      return taken;
    },
  };
}
