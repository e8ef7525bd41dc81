/** A message as a CloudEvent of version 1.0, all of it in one JSON. */
import type { Json } from '../../types.ts';
import { isTime } from '../../words/time.ts';
import { base64Of, plain, type Message } from './message.ts';

export function cloudEvent({ id, type, camera, time, subject, data, picture }: Message): Readonly<Record<string, Json>> {
  return {
    specversion: '1.0',
    id: plain(id),
    // The same for ever, whatever machine Lookout runs on: what tells events of two cameras apart.
    source: camera === null ? '/lookout' : `/lookout/cameras/${encodeURIComponent(plain(camera.id))}`,
    type,
    ...(time !== null && isTime(time) && { time }),
    ...(subject !== null && { subject: plain(subject) }),
    datacontenttype: 'application/json',
    data: picture === null ? data : { ...data, picture_base64: base64Of(picture) },
  };
}
