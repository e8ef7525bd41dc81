/** What every follower promises, whatever it delivers to: against a real server that can be stopped, and started again as it was. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventClip, EventEntry, EventReview, Follower, FollowerContext, FollowerMember, Item, Json } from '../../src/types.ts';

/** Where a follower delivers to in a test. */
export interface Target<Settings> {
  readonly settings: Settings;
  start(): Promise<void>;
  /** It is away from now on; what it was given stays. */
  stop(): Promise<void>;
  /** Ids of items, each as often as it came, in the order in which they came first. */
  received(): Promise<readonly string[]>;
  /** Ends what the test began. */
  remove(): Promise<void>;
}

export interface Contracted<Settings> {
  readonly member: FollowerMember<Settings>;
  readonly target: () => Promise<Target<Settings>>;
  /** A text that stands in no message. */
  readonly secret?: string;
  /** Nothing there tells in which order items came. */
  readonly unordered?: boolean;
}

/** As an entry of an event names it. */
export const clip: EventClip = { id: 'c', made_of: 'video', begins_at: '2026-01-01T00:00:00.000Z', ends_at: '2026-01-01T00:00:10.000Z' };

const A_JPEG = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex');

export function contextOf<Settings>(settings: Settings, more: Partial<FollowerContext<Settings>> = {}): FollowerContext<Settings> {
  return {
    name: 'test', settings, version: '0.0.0', signal: new AbortController().signal,
    picture: () => Promise.resolve(A_JPEG), clip: () => null,
    log: { warn: () => undefined, info: () => undefined },
    lookout: {
      streams: () => [], cameras: () => Promise.resolve([]), latest: () => null, models: () => Promise.resolve([]), eventDrawing: () => Promise.resolve(null),
      change: () => Promise.reject(new Error('no stream is to be changed')),
    },
    ...more,
  };
}

export function recordItem(number: number, more: Readonly<Record<string, Json>> = {}): Item {
  const at = new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString();
  const id = `gate_0123abcd-${at.replace(/[-:.]/g, '').replace('Z', '000Z')}`;
  const value = {
    schema_version: 1, basic: { camID: 'gate', latitude: 48.1, longitude: 11.5 }, detections: { animals: [{ class: 'dog', confidence: 0.9, box: [1, 2, 30, 40] }] },
    batch: { id, session: 'gate_0123abcd', closed_by: 'count', started_at: at, ended_at: at, frames: [{ index: 0, captured_at: at, file: `gate_0123abcd/gate_${number}.jpg`, width: 64, height: 48 }], snapshot: null },
    models: { animals: { version: '1', inference_ms: 12, error: null, looked: 1, skipped: [] } }, ...more,
  };
  return { log: 'records', id, camera_id: 'gate', time: at, value, bytes: JSON.stringify(value).length };
}

export function eventItem(number: number, more: Partial<EventEntry> = {}): Item {
  const at = new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString();
  const id = `019b76da-a800-7000-8000-${String(number).padStart(12, '0')}`;
  const value: EventEntry = {
    kind: 'event', id, sequence: 0, state: 'begun', at, camera_id: 'gate', place: { latitude: 48.1, longitude: 11.5 }, rule: 'default', section: 'animals', class: 'dog',
    models: ['animals'], alert: true, suppressed: null, began_at: at, last_seen_at: at, ended_at: null, ended_by: null, frames: 1, clip: null, batches: null,
    best: { captured_at: at, confidence: 0.9, box: [1, 2, 30, 40], width: 64, height: 48, picture: `${id}.jpg` }, ...more,
  };
  return { log: 'events', id: `${value.id}/${value.sequence}`, camera_id: value.camera_id, time: value.at, value: value as unknown as Item['value'], bytes: JSON.stringify(value).length };
}

/** Of the event of that number. */
export function reviewItem(number: number, more: Partial<EventReview> = {}): Item {
  const { value, time } = eventItem(number);
  const event = value as unknown as EventEntry;
  const review: EventReview = {
    kind: 'review', id: `review-${number}`, event: event.id, at: time ?? '', camera_id: 'gate', rule: 'default', verdict: 'false_alarm', keep: false, ...more,
  };
  return { log: 'events', id: review.id, camera_id: review.camera_id, time: review.at, value: review as unknown as Item['value'], bytes: JSON.stringify(review).length };
}

const never = new AbortController().signal;
const idsOf = (items: readonly Item[]): readonly string[] => items.map(({ id }) => id);

export function followerContract<Settings>(name: string, { member, target: make, secret, unordered = false }: Contracted<Settings>): void {
  const inOrder = (ids: readonly string[]): readonly string[] => (unordered ? [...ids].sort() : ids);
  describe(`the follower ${name}`, () => {
    let target: Target<Settings>;
    let follower: Follower;

    beforeAll(async () => {
      target = await make();
      await target.start();
      follower = member.create(contextOf(target.settings));
    }, 60_000);
    afterAll(async () => {
      await follower.close();
      await target.remove();
    });

    it('says where it delivers to, and that it gets there', async () => {
      expect(member.target(target.settings)).toMatch(/\S/);
      expect(await follower.test(never)).toMatch(/\S/);
      expect(await target.received()).toEqual([]);
    });

    it('delivers records and events in order', async () => {
      const items = [recordItem(1), recordItem(2), eventItem(1), eventItem(2), recordItem(3)];
      expect(await follower.deliver(items, never)).toEqual([]);
      expect(inOrder(await target.received())).toEqual(inOrder(idsOf(items)));
    });

    it('may deliver again what came already', async () => {
      const before = await target.received();
      expect(await follower.deliver([recordItem(2), eventItem(2)], never)).toEqual([]);
      expect(inOrder([...new Set(await target.received())])).toEqual(inOrder(before));
    });

    it('throws while the target is away, without a secret, and goes on once it is back', async () => {
      await target.stop();
      const items = [recordItem(11), eventItem(11)];
      const failure = await follower.deliver(items, AbortSignal.timeout(30_000)).then(() => null, (error: unknown) => error);
      expect(failure).toMatchObject({ code: 'target_away' });
      if (secret !== undefined) expect(String(failure)).not.toContain(secret);
      await expect(follower.test(AbortSignal.timeout(30_000))).rejects.toMatchObject({ code: 'target_away' });
      await target.start();
      let refused: unknown = null;
      for (let left = 40; refused === null && left > 0; left -= 1) {
        refused = await follower.deliver(items, never).catch(async () => {
          await new Promise((resolve) => setTimeout(resolve, 250));
          return null;
        });
      }
      expect(refused).toEqual([]);
      expect(await target.received()).toEqual(expect.arrayContaining([...idsOf(items)]));
    }, 90_000);

    it('ends within a second when it is to stop', async () => {
      await target.stop();
      const begun = Date.now();
      await expect(follower.deliver([recordItem(21)], AbortSignal.timeout(300))).rejects.toBeDefined();
      expect(Date.now() - begun).toBeLessThan(2000);
      await target.start();
    }, 60_000);

    it('keeps names that are odd apart and whole', async () => {
      const odd = ['a/b', 'a#b+c', 'line\nbreak', 'x'.repeat(10_000), 'ünï çødé 🐕', "'; DROP TABLE records; --"];
      const items = odd.map((word, number) => eventItem(100 + number, { class: word }));
      const refused = await follower.deliver(items, never);
      for (const { reason } of refused) expect(reason).toMatch(/\S/);
      const taken = items.filter((item) => !refused.some(({ item: other }) => other.id === item.id));
      expect(await target.received()).toEqual(expect.arrayContaining([...idsOf(taken)]));
      expect(refused.length).toBeLessThanOrEqual(1);
    }, 60_000);
  });
}
