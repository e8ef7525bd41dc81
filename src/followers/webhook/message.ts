/** What one request tells: of an item, or of Lookout itself. */
import { shorten } from '../../lib/shorten.ts';
import type { Camera, Item, Json } from '../../types.ts';

export interface Message {
  readonly id: string;
  /** `lookout.event.begun` and the like. */
  readonly type: string;
  /** null: it is of none. */
  readonly camera: Camera | null;
  /** RFC 3339. */
  readonly time: string | null;
  /** The event or the record that it is of. */
  readonly subject: string | null;
  /** In a sentence, of one line without control characters. */
  readonly text: string;
  readonly event: Item['value'] | null;
  readonly record: Item['value'] | null;
  readonly data: Item['value'];
  /** JPEG; null: it comes without. */
  readonly picture: Uint8Array | null;
}

export function messageOf({ log, id, camera_id, time, value }: Item, picture: Uint8Array | null): Message {
  const of = { id, camera: { id: camera_id, ...placeOf(value) }, time, data: value, picture };
  if (log === 'records') {
    return { ...of, type: 'lookout.record', subject: id, text: `${inWords(camera_id)}: a record${time === null ? '' : ` of ${time}`}`, event: null, record: value };
  }
  const subject = [value['event'], value['id']].find((one) => typeof one === 'string') ?? id;
  return { ...of, type: `lookout.event.${inWords(value['state'] ?? value['kind'])}`, subject, text: eventInWords(camera_id, value), event: value, record: null };
}

/** Of the alerts from one time to another. */
export function tooOldMessage(id: string, count: number, from: string, to: string): Message {
  const alerts = count === 1 ? '1 alert' : `${count} alerts`;
  return {
    id, type: 'lookout.too_old', camera: null, time: to, subject: null, event: null, record: null,
    text: `${alerts} between ${from} and ${to} ${count === 1 ? 'was' : 'were'} too old to be sent`, data: { count, from, to }, picture: null,
  };
}

export function testMessage(name: string, id: string, time: string, picture: Uint8Array | null): Message {
  return {
    id, type: 'lookout.test', camera: null, time, subject: null, event: null, record: null,
    text: `This is a test of Lookout's follower ${name}: nothing was seen`, data: { follower: name, test: true }, picture,
  };
}

const VERDICTS: Readonly<Record<string, string>> = { true_alarm: 'a true alarm', false_alarm: 'a false alarm' };

function eventInWords(cameraId: string, value: Item['value']): string {
  const [camera, seen] = [inWords(cameraId), inWords(value['class'])];
  if (value['kind'] === 'review') return `${camera}: ${VERDICTS[inWords(value['verdict'])] ?? 'no verdict'} of an event of ${inWords(value['rule'])}${value['keep'] === true ? ', to be kept' : ''}`;
  if (value['kind'] === 'summary') return `${camera}: ${inWords(value['suppressed'])} more events of ${inWords(value['rule'])} on ${inWords(value['day'])}, after ${inWords(value['alerts'])} alerts`;
  const { confidence } = fieldsOf(value['best']);
  if (value['state'] !== 'begun' && value['alerts_now'] !== true) return `${camera}: ${seen} ${value['state'] === 'going_on' ? 'still there' : 'last seen'} at ${inWords(value['last_seen_at'])}`;
  return `${camera}: ${seen} since ${inWords(value['began_at'])}${typeof confidence === 'number' ? `, ${Math.round(confidence * 100)} % sure` : ''}`;
}

/** Names come from models and cameras: line breaks, and characters that turn the direction of writing, would forge others' lines. */
function inWords(value: Json | undefined): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '?';
  return shorten(plain(text).replace(/[\u2028\u2029\s]+/g, ' ').replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').trim(), 100);
}

/** Text without control characters, and without halves of characters. */
export function plain(text: string): string {
  return text.replace(/\p{Cs}/gu, '\uFFFD').replace(/\p{Cc}/gu, ' ');
}

export function base64Of(picture: Uint8Array): string {
  return Buffer.from(picture).toString('base64');
}

/** As an event has it, and as records of each format have it. */
function placeOf(value: Item['value']): Omit<Camera, 'id'> {
  const places = [fieldsOf(value['place']), fieldsOf(value['basic']), value];
  const degrees = (...names: readonly string[]): number | null => places.flatMap((place) => names.map((name) => place[name])).find((one) => typeof one === 'number') ?? null;
  return { latitude: degrees('latitude', 'Latitude'), longitude: degrees('longitude', 'Longitude') };
}

function fieldsOf(value: Json | undefined): Item['value'] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Item['value'] : {};
}
