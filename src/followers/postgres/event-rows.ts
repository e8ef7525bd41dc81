/** What of an entry, or a review, of the log of events stands in which column. */
import type { Item } from '../../types.ts';
import type { RowOf } from './tables.ts';
import { booleanOf, cleaned, cornersOf, fieldsOf, NO_BOX, numberOf, placeOf, textOf, textsOf, timeOf, wholeOf, type Place } from './values.ts';

export function eventRow(item: Item): RowOf<'events'> {
  const { value } = item;
  const best = fieldsOf(value['best']);
  const place = eventPlace(item);
  return {
    id: cleaned(textOf(value['id']) ?? item.id), sequence: wholeOf(value['sequence']) ?? 0, state: textOf(value['state']), at: timeOf(value['at']),
    camera_id: item.camera_id, latitude: place?.latitude ?? null, longitude: place?.longitude ?? null,
    rule: textOf(value['rule']), section: textOf(value['section']), class: textOf(value['class']), models: textsOf(value['models']),
    alert: booleanOf(value['alert']), suppressed: textOf(value['suppressed']),
    began_at: timeOf(value['began_at']), last_seen_at: timeOf(value['last_seen_at']), ended_at: timeOf(value['ended_at']), ended_by: textOf(value['ended_by']),
    frames: wholeOf(value['frames']), best_captured_at: timeOf(best['captured_at']), confidence: numberOf(best['confidence']), ...(cornersOf(best['box']) ?? NO_BOX),
    width: wholeOf(best['width']), height: wholeOf(best['height']), picture: textOf(best['picture']),
    clip: textOf(fieldsOf(value['clip'])['id']), batches: textsOf(value['batches']), entry: value,
  };
}

export interface ReviewRow {
  readonly id: string;
  readonly verdict: string | null;
  readonly keep: boolean;
}

export function reviewRow({ id, value }: Item): ReviewRow {
  return { id: cleaned(textOf(value['event']) ?? id), verdict: textOf(value['verdict']), keep: booleanOf(value['keep']) ?? false };
}

export function eventPlace({ value }: Item): Place | null {
  const { latitude, longitude } = fieldsOf(value['place']);
  return placeOf(latitude, longitude);
}
