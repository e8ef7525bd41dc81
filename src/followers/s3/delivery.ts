/** Brings items to a bucket: pictures and clips first, so that whoever finds the JSON finds what it speaks of. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { LookoutError } from '../../errors.ts';
import { untilAborted } from '../../lib/abort.ts';
import { isObject } from '../../lib/objects.ts';
import type { FollowerContext, Follower, Item, Json, Refused } from '../../types.ts';
import { openBucket, type Parcel } from './bucket.ts';
import { spanInWords } from './failure.ts';
import { framesOf } from './frames.ts';
import { eventId, keyOf } from './key.ts';
import { placeOf, type S3Settings } from './settings.ts';

/** Items that are on their way at once. */
const AT_ONCE = 8;
/** Events whose newest entry is remembered. */
const MOST_EVENTS = 10_000;
/** Digits of a frame's number: names sort as numbers do. */
const DIGITS = 3;
/** Told from then on; S3 itself refuses from 15 minutes on. */
const SKEW_MS = 5 * 60_000;

const gzipped = promisify(gzip);

export function createDelivery(context: FollowerContext<S3Settings>): Follower {
  const { settings } = context;
  const bucket = openBucket(settings);
  /** By event, the newest entry that is there. */
  const newest = new Map<string, number>();
  /** What a call that failed had brought there: it comes again, and a large clip on a bad line would never get through. */
  let there = new Set<string>();
  const told = new Set<string>();

  /** Tells a trouble the first time. */
  function warnOnce(what: string, message: string, facts: object): void {
    if (told.has(what)) return;
    told.add(what);
    context.log.warn(message, facts);
  }

  async function put(item: Item, parcel: Parcel, signal: AbortSignal): Promise<string | null> {
    const reason = await bucket.put(parcel, signal);
    if (reason === null) there.add(markOf(item, parcel.key));
    return reason;
  }

  /** What is missing beside the JSON does not hold it back. */
  async function putBeside(item: Item, what: 'picture' | 'clip', key: string, make: () => Promise<Parcel | null>, signal: AbortSignal): Promise<void> {
    if (there.has(markOf(item, key))) return;
    let reason: string | null;
    try {
      const parcel = await make();
      reason = parcel === null ? null : await put(item, parcel, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LookoutError && error.code === 'target_away') throw error;
      reason = error instanceof Error ? error.message : String(error);
    }
    if (reason !== null) warnOnce(what, `a ${what} is not uploaded; what its record or event says is`, { item: item.id, reason });
  }

  async function pictureOf(item: Item, key: string): Promise<Parcel | null> {
    const body = await context.picture(item);
    if (body !== null) return { key, type: 'image/jpeg', body };
    if (namesPicture(item)) throw new LookoutError('not_found', 'it is gone');
    return null;
  }

  function clipOf(item: Item, key: string): Parcel | null {
    const file = context.clip(item);
    if (file !== null) return { key, type: 'video/mp4', body: { file } };
    // While it goes on a longer one may come.
    if (item.value['state'] === 'ended' && isObject(item.value['clip'])) throw new LookoutError('not_found', 'it is gone');
    return null;
  }

  async function json(key: string, value: Json): Promise<Parcel> {
    const text = JSON.stringify(value);
    return { key, type: 'application/json', ...(settings.gzip ? { gzipped: true, body: await gzipped(text) } : { body: Buffer.from(text) }) };
  }

  async function deliverOne(item: Item, signal: AbortSignal): Promise<string | null> {
    const stem = keyOf(settings.key, item);
    if (settings.upload_pictures) await putBeside(item, 'picture', `${stem}.jpg`, () => pictureOf(item, `${stem}.jpg`), signal);
    if (settings.upload_clips) await putBeside(item, 'clip', `${stem}.mp4`, () => Promise.resolve(clipOf(item, `${stem}.mp4`)), signal);
    const parts = settings.per_frame && item.log === 'records' ? framesOf(item) : [];
    const files = [
      ...parts.map(({ index, value }) => ({ key: `${stem}/${String(index).padStart(DIGITS, '0')}.json`, value })),
      { key: `${stem}.json`, value: item.value },
    ];
    for (const { key, value } of files) {
      if (there.has(markOf(item, key))) continue;
      const parcel = await json(key, value);
      const reason = await put(item, item.log === 'events' ? { ...parcel, sequence: sequenceOf(item) } : parcel, signal);
      if (reason !== null) return reason;
    }
    return null;
  }

  /** Of an entry of an event: it says less than what is there, and is done. */
  function isOutdated(item: Item): boolean {
    return item.log === 'events' && sequenceOf(item) < (newest.get(eventId(item)) ?? 0);
  }

  /** Likewise than what comes in the same call. */
  function isSurpassed(item: Item, last: ReadonlyMap<string, Item>): boolean {
    return item.log === 'events' && last.get(eventId(item)) !== item;
  }

  function remember(item: Item, sequence: number): void {
    if (item.log !== 'events') return;
    // To the end of the map, whose beginning is forgotten.
    newest.delete(eventId(item));
    newest.set(eventId(item), sequence);
    for (const [oldest] of newest) {
      if (newest.size <= MOST_EVENTS) return;
      newest.delete(oldest);
    }
  }

  /** An earlier run may have brought more there than what is no beginning, or comes because somebody asked. */
  async function lookUp(item: Item, signal: AbortSignal): Promise<void> {
    if (item.log !== 'events' || newest.has(eventId(item)) || (sequenceOf(item) === 0 && item.asked !== true)) return;
    const sequence = await bucket.sequenceAt(`${keyOf(settings.key, item)}.json`, signal);
    if (sequence !== null) remember(item, sequence);
  }

  async function deliverAll(items: readonly Item[], signal: AbortSignal): Promise<readonly Refused[]> {
    const inOrder = items.filter(({ log }) => log === 'events').sort((a, b) => sequenceOf(a) - sequenceOf(b));
    const last = new Map(inOrder.map((item) => [eventId(item), item]));
    const refused: Refused[] = [];
    const queue = items.filter((item) => !isSurpassed(item, last)).values();
    const failures: unknown[] = [];
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (const item of queue) {
        try {
          await lookUp(item, signal);
          if (isOutdated(item)) continue;
          const reason = await deliverOne(item, signal);
          if (reason === null) remember(item, sequenceOf(item));
          else refused.push({ item, reason });
        } catch (error) {
          failures.push(error);
        }
        // What is under way is let come to its end: it need not come again.
        if (failures.length > 0) return;
      }
    }));
    if (failures.length > 0) throw failures[0];
    return refused;
  }

  return {
    async deliver(items, signal) {
      signal.throwIfAborted();
      try {
        const refused = await untilAborted(deliverAll(items, signal), signal);
        there = new Set();
        const off = bucket.clockOffsetMs();
        if (Math.abs(off) > SKEW_MS) warnOnce('clock', 'this machine\'s clock is not the target\'s, whose time requests are signed with', { target: placeOf(settings), off_by: spanInWords(off) });
        return refused;
      } catch (error) {
        if (error instanceof LookoutError && error.details['bucket_gone'] === true) there = new Set();
        throw error;
      }
    },
    isSent: (item) => Promise.resolve(!isOutdated(item)),
    test: (signal) => bucket.test(signal),
    close: () => bucket.close(),
  };
}

const markOf = (item: Item, key: string): string => `${item.id} ${key}`;

function sequenceOf({ value }: Item): number {
  return typeof value['sequence'] === 'number' ? value['sequence'] : 0;
}

/** Whether an item says that there is a picture. */
function namesPicture({ log, value }: Item): boolean {
  const [holder, field] = log === 'events' ? [value['best'], 'picture'] : [value['batch'], 'snapshot'];
  return isObject(holder) && (holder[field] ?? null) !== null;
}
