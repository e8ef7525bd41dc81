/** What an item of a log says about itself: one of events, or a record, whichever generation it is: Lookout's own or the Flask orchestrator's v1, v2, v3. */
import { isObject } from '../lib/objects.ts';
import type { Json } from '../types.ts';

export interface Facts {
  /** Of the batch; empty where the record has none. */
  readonly id: string;
  readonly camera: string;
  /** Capture time of the first frame, RFC 3339; null where the record has none. */
  readonly time: string | null;
  readonly models: readonly string[];
}

export const NO_FACTS: Facts = { id: '', camera: '', time: null, models: [] };

const EVENT_KINDS: readonly unknown[] = ['event', 'summary', 'review'];

export function describe(record: unknown): Facts {
  if (isObject(record) && EVENT_KINDS.includes(record['kind'])) return describeEvent(record);
  const batch = member(record, 'batch');
  const frames = member(batch, 'frames');
  const camera = member(member(record, 'basic'), 'camID') ?? member(record, 'camID');
  const id = member(batch, 'id');
  const time = member(Array.isArray(frames) ? frames[0] : undefined, 'captured_at');
  return {
    id: typeof id === 'string' ? id : '',
    camera: typeof camera === 'string' || typeof camera === 'number' ? String(camera) : '',
    time: typeof time === 'string' ? time : null,
    models: Object.keys(member(record, 'models') ?? {}),
  };
}

/** An event has several entries. */
function describeEvent({ id, sequence, camera_id, at, models }: Readonly<Record<string, unknown>>): Facts {
  return {
    id: typeof sequence === 'number' ? `${String(id)}/${sequence}` : String(id),
    camera: String(camera_id),
    time: typeof at === 'string' ? at : null,
    models: Array.isArray(models) ? models.map(String) : [],
  };
}

/** The record without its base64 picture. */
export function withoutPicture(record: Json): Json {
  if (!isObject(record)) return record;
  return Object.fromEntries(
    Object.entries(record)
      .filter(([key]) => key !== 'frame_base64')
      .map(([key, value]) => [key, key === 'basic' ? withoutPicture(value) : value]),
  );
}

function member(value: unknown, key: string): unknown {
  return isObject(value) ? (value[key] ?? undefined) : undefined;
}
