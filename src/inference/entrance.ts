/** What waits for one model, from the moment a frame is offered until it is in a call: its foyer, its door, and who may not go now. Passive. */
import type { Config, Model, SkipReason } from '../types.ts';
import { itemOf, type Ask, type Item } from './asks.ts';
import { deadlineMsOf } from './call.ts';
import type { CallSize } from './call-size.ts';
import { createDoor } from './door.ts';
import { createFoyer } from './foyer.ts';
import type { Kept } from './keeper.ts';
import type { Quarantine } from './quarantine.ts';

export interface EntranceParts {
  readonly settings: Pick<Config, 'runner_idle_seconds' | 'queue_total' | 'batch_size' | 'model_deadline_seconds'>;
  readonly callSize: CallSize;
  readonly quarantine: Quarantine;
  /** What waited is not looked at. */
  readonly skip: (asks: readonly Ask[], reason: SkipReason) => void;
}

export interface Entrance {
  /** `model`: null while it does not run. */
  add(ask: Ask, model: Model | null): void;
  /** What failed is asked again, by itself. */
  addAgain(item: Item): void;
  /** Takes out a frame, of a batch all of it; nothing: it does not wait here (any more). */
  remove(ask: Ask): readonly Ask[];
  removeAll(): readonly Ask[];
  /** The frames of these keys are a whole batch. */
  closeBatch(keys: readonly string[]): void;
  /** Live frames of the session stay until it is released, from this one of their sequence on. */
  hold(session: string, from: number): void;
  /** False: it was not held. */
  release(session: string): boolean;
  /** Whether a runner is needed; `model`: null while none is up. */
  hasWork(model: Model | null): boolean;
  /** Takes out the items of the next call; none: nobody may go now. `mayGo` is asked beside what is known here. */
  take(kept: Kept, now: number, mayGo: (item: Item) => boolean): readonly Item[];
}

/** A breath of a model is no overload, also where every picture is looked at that a camera brings. */
const LEAST_PATIENCE_MS = 1000;

export function createEntrance({ settings, callSize, quarantine, skip }: EntranceParts): Entrance {
  const foyer = createFoyer();
  const door = createDoor<Item>();
  /** By session: the first frame of what waits there. Earlier ones are of batches that it waits for itself. */
  const held = new Map<string, number>();

  function enter(item: Item | null): void {
    if (item) door.add(item, item.stream.from === 'recovered' || item.stream.from === 'replayed' ? 'recovered' : 'live');
  }

  /** Lets go of what there is no room for: only while the model runs, for what waits until then is wanted. */
  function tidy({ look }: Model, cameras: Iterable<string>, now: number): void {
    const gone = door.tidy(cameras, now, look === 'batch'
      ? { perCamera: () => 1, total: settings.queue_total, patienceMs: () => Infinity }
      : {
        perCamera: ({ stream }) => stream.batch_size, total: settings.queue_total * settings.batch_size,
        patienceMs: ({ stream }) => Math.max(LEAST_PATIENCE_MS, 2000 * stream.interval_seconds, 2 * callSize.usualMs),
      });
    for (const { asks } of gone) skip(asks, 'overloaded');
  }

  /** Frames of a camera in quarantine do not wait until that is over. */
  function sendAway(now: number): void {
    if (quarantine.empty) return;
    for (const item of door.items) {
      if (quarantine.verdict(item.camera, now) === 'not now' && door.remove(item)) skip(item.asks, 'quarantined');
    }
  }

  /** A stream that brings a frame more rarely than an idle runner is kept has it started once for a batch. */
  function isWorthAStart(ask: Ask): boolean {
    return ask.stream.from !== 'live' || ask.stream.interval_seconds < settings.runner_idle_seconds || foyer.isClosed(ask);
  }

  return {
    add(ask, model) {
      if (model?.look !== 'frame') {
        foyer.add(ask);
        return;
      }
      enter(itemOf([ask]));
      tidy(model, [ask.stream.camera_id], ask.at);
    },
    addAgain: (item) => { door.add(item, 'again'); },
    remove(ask) {
      if (foyer.remove(ask)) return [ask];
      const item = door.items.find(({ asks }) => asks.includes(ask));
      return item && door.remove(item) ? item.asks : [];
    },
    removeAll() {
      const { items } = door;
      for (const item of items) door.remove(item);
      return [...foyer.leave('frame').flat(), ...items.flatMap(({ asks }) => asks)];
    },
    closeBatch: (keys) => { foyer.close(keys); },
    hold: (session, from) => { held.set(session, Math.min(from, held.get(session) ?? Infinity)); },
    release: (session) => held.delete(session),
    hasWork: (model) => !door.empty || (model ? foyer.hasWork(model.look) : foyer.asks.some(isWorthAStart)),
    take({ model, runner }, now, mayGo) {
      // Only from now on do they wait for others.
      for (const asks of foyer.leave(model.look)) enter(itemOf(asks, { at: now }));
      tidy(model, door.cameras, now);
      sendAway(now);
      const isHeld = ({ stream, session, sequence }: Item): boolean => stream.from === 'live' && sequence >= (held.get(session) ?? Infinity);
      const isFree = (item: Item): boolean => item.notBefore <= now && !isHeld(item) && mayGo(item);
      const isSuspect = ({ camera }: Item): boolean => quarantine.verdict(camera, now) === 'alone';
      const suspect = quarantine.empty ? undefined : door.items.find((item) => isSuspect(item) && isFree(item));
      if (suspect && door.remove(suspect)) {
        quarantine.trying(suspect.camera);
        return [suspect];
      }
      return door.take({
        room: model.look === 'batch' ? 1 : callSize.of(model.max_batch, deadlineMsOf(model, settings), now),
        mix: model.look === 'frame' && (model.mix ?? runner.ready.mix ?? false),
        mayGo: (item) => !isSuspect(item) && isFree(item),
      });
    },
  };
}
