/** Where the picture of a record's frame is: within the record, or among those that were kept. Reads records of any generation. */
import { isObject } from '../lib/objects.ts';

/** The snapshot's bytes, or the key under which the frame was kept, if it was. */
export type RecordPicture = { readonly jpeg: Uint8Array } | { readonly key: string };

/** `frame`: its index in the batch; null: the snapshot, whichever frame that is. null: the record has no such picture. */
export function pictureOf(record: unknown, frame: number | null): RecordPicture | null {
  const batch = member(record, 'batch');
  if (frame === null || member(member(batch, 'snapshot'), 'index') === frame) {
    const base64 = member(member(record, 'basic') ?? record, 'frame_base64');
    if (typeof base64 === 'string' && base64 !== '') return { jpeg: Buffer.from(base64, 'base64') };
  }
  const frames = member(batch, 'frames');
  const of = Array.isArray(frames) ? (frames as readonly unknown[]).find((one) => member(one, 'index') === frame) : undefined;
  const key = member(of, 'file');
  return typeof key === 'string' ? { key } : null;
}

function member(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}
