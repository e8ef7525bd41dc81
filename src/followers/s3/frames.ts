/** What a record says of each of its frames, whatever its format. */
import { isObject } from '../../lib/objects.ts';
import type { Item, Json } from '../../types.ts';

export interface FrameFile {
  readonly index: number;
  readonly value: { readonly [key: string]: Json };
}

/** Empty for records that name no frames. */
export function framesOf({ id, camera_id, value }: Item): readonly FrameFile[] {
  const { batch } = value;
  const frames = isObject(batch) && Array.isArray(batch['frames']) ? (batch['frames'] as readonly Json[]) : [];
  const sections = sectionsOf(value);
  return frames.flatMap((frame) => {
    const index = isObject(frame) ? frame['index'] : null;
    if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0) return [];
    const seen = sections.map(([name, detections]) => [name, detections.filter((one) => isObject(one) && one['frame'] === index)] as const);
    return [{ index, value: { batch: id, camera_id, frame, detections: Object.fromEntries(seen) } }];
  });
}

/** Flat records have the lists of complaints by themselves; other models, and nested records, sections. */
function sectionsOf(value: Item['value']): readonly (readonly [string, readonly Json[]])[] {
  const listed = isObject(value['complaint_type']) ? Object.entries(value['complaint_type'] as Readonly<Record<string, Json>>) : [];
  const sections = Object.entries(value).flatMap(([name, section]) => (isObject(section) && 'detections' in section ? [[name, section['detections']] as const] : []));
  return [...listed, ...sections].flatMap(([name, detections]) => (Array.isArray(detections) ? [[name, detections as readonly Json[]] as const] : []));
}
