/**
 * What the engine of events keeps beside the log, and what both say after a restart. The log is the truth: what it tells after
 * the state was taken is made up for, so that a state which is some seconds old costs no alert and makes none.
 */
import { isObject } from '../lib/objects.ts';
import type { EventEntry, EventItem, EventRule, Silence } from '../types.ts';
import { cameraStateOf, createCamera, scopeOf, type Camera, type CameraState } from './camera.ts';
import type { Limits } from './episode.ts';
import type { Moment } from './seen.ts';
import { placeOf } from './stationary.ts';
import type { Suppression } from './suppression.ts';

export interface EventState {
  readonly version: 1;
  /** What was noted since it was taken has this number, or a later one. */
  readonly number?: number;
  /** The last item that it knows of; null: there was none. */
  readonly last: ItemName | null;
  readonly open: readonly OpenState[];
  readonly cameras: Readonly<Record<string, CameraState>>;
  readonly silences: readonly Silence[];
}

export interface OpenState {
  readonly entry: EventEntry;
  readonly batches: readonly string[];
  /** Times of looks after it was last seen that found nothing. */
  readonly misses?: readonly number[];
  /** As its stream was captured; null: that is not known. */
  readonly limits: Limits | null;
  /** Absent: that is not known. */
  readonly complains?: boolean;
}

/** Entries of one event have one id. */
export interface ItemName {
  readonly id: string;
  readonly sequence: number;
}

export interface Restored {
  readonly last: ItemName | null;
  readonly open: readonly OpenState[];
  readonly cameras: ReadonlyMap<string, Camera>;
}

/** null: it is none of this version. */
export function readState(value: unknown): EventState | null {
  const isState = isObject(value) && value['version'] === 1 && Array.isArray(value['open']) && isObject(value['cameras']) && Array.isArray(value['silences']);
  return isState ? (value as unknown as EventState) : null;
}

export function stateOf(last: ItemName | null, cameras: ReadonlyMap<string, Camera>, open: readonly OpenState[], silences: readonly Silence[], monotonic: number): EventState {
  return { version: 1, last, open, cameras: Object.fromEntries([...cameras].map(([id, camera]) => [id, cameraStateOf(camera, monotonic)])), silences };
}

/** As the log, and who hears of it, know it. */
export const itemId = (item: EventItem): string => (item.kind === 'event' ? `${item.id}/${item.sequence}` : item.id);

export const itemName = (item: EventItem): ItemName => ({ id: item.id, sequence: item.kind === 'event' ? item.sequence : 0 });

/** Name of an episode among those of its camera. */
export const nameOf = (rule: string, section: string, name: string): string => `${scopeOf(rule, section)}\n${name}`;

/**
 * `items`: the log's from the state's last one on, or from earlier on; without a state those of the last days. `since`: how episodes
 * went on after their last items.
 */
export function restored(state: EventState | null, items: readonly EventItem[], since: readonly OpenState[], rules: readonly EventRule[], { dayOf, alerted }: Suppression, { monotonic }: Moment): Restored {
  const known = items.findLastIndex((item) => item.id === state?.last?.id && itemName(item).sequence === state.last.sequence);
  /** One of both was restored from a backup, or cut: what stands in both is not to count twice. */
  const areApart = known === -1 && state !== null && state.last !== null;
  const cameras = new Map(Object.entries(state?.cameras ?? {}).map(([id, one]) => [id, createCamera(id, monotonic, areApart ? { ...one, days: [] } : one)]));
  const open = new Map((state?.open ?? []).map((one) => [one.entry.id, one]));

  function cameraOf(id: string): Camera {
    const camera = cameras.get(id) ?? createCamera(id, monotonic);
    cameras.set(id, camera);
    return camera;
  }

  function take(entry: EventEntry): void {
    const before = open.get(entry.id);
    const camera = cameraOf(entry.camera_id);
    const captured = Date.parse(entry.last_seen_at);
    const rule = rules.find(({ name }) => name === entry.rule);
    if (entry.alert && before?.entry.alert !== true && rule) {
      alerted({ camera, rule, name: entry.class, model: entry.models[0] ?? '', captured, from: 'recovered', places: [placeOf({ ...(entry.best.box ? { box: entry.best.box } : {}) }, entry.best)] });
    }
    if (entry.suppressed === 'daily_limit' && before?.entry.suppressed !== 'daily_limit') camera.daily.suppressed(entry.rule, dayOf(captured));
    if (entry.state !== 'ended') {
      open.set(entry.id, { batches: [], limits: null, ...before, entry });
      return;
    }
    open.delete(entry.id);
    const until = Date.parse(entry.ended_by === 'interrupted' ? entry.at : entry.ended_at ?? entry.last_seen_at);
    camera.covered.restore(nameOf(entry.rule, entry.section, entry.class), Date.parse(entry.began_at), until);
  }

  for (const item of items.slice(known + 1)) {
    if (item.kind === 'summary') cameraOf(item.camera_id).daily.told(item.rule, item.day, item.when);
    else if (item.kind === 'event' && item.sequence > (open.get(item.id)?.entry.sequence ?? -1)) take(item);
  }
  for (const one of since) {
    const before = open.get(one.entry.id);
    // Else the log tells of what it became later, or not yet of what it was then.
    if (before?.entry.sequence === one.entry.sequence) open.set(one.entry.id, { ...one, batches: [...new Set([...before.batches, ...one.batches])] });
  }
  if (areApart) for (const [id, { days }] of Object.entries(state.cameras)) for (const day of days) cameraOf(id).daily.atLeast(day);
  const last = items.at(-1);
  return { last: last ? itemName(last) : state?.last ?? null, open: [...open.values()], cameras };
}
