/** Brokers that refuse, and brokers that say nothing: whose fault it is, and that nothing is sent behind anybody's back. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { create } from '../../../src/followers/mqtt.ts';
import { followPackets } from '../../../src/followers/mqtt/packet-lengths.ts';
import type { MqttSettings } from '../../../src/followers/mqtt/settings.ts';
import type { Follower, Item } from '../../../src/types.ts';
import { contextOf, eventItem, recordItem } from '../../contracts/follower.ts';
import { startOddBroker, type Oddity, type OddBroker } from '../../helpers/odd-broker.ts';
import { settingsFor } from './settings.ts';

const never = new AbortController().signal;
const cleanup: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

async function meet(oddity: Oddity, more: Partial<MqttSettings> = {}): Promise<{ broker: OddBroker; follower: Follower }> {
  const broker = await startOddBroker(oddity);
  const follower = create(contextOf(settingsFor(broker.port, { timeout_seconds: 1, ...more })));
  cleanup.push(() => broker.close(), () => follower.close());
  return { broker, follower };
}

const items: readonly Item[] = [recordItem(1), eventItem(2), recordItem(3)];
const isOf = (item: Item | undefined, { rest }: { readonly rest: Buffer }): boolean => item !== undefined && rest.includes(item.id);

it('a broker that accepts and never acknowledges is away after the time-out, and is sent nothing later', async () => {
  let isMute = true;
  const { broker, follower } = await meet({ answer: ({ topic }) => (isMute && topic !== 'lookout/available' ? null : { acknowledge: 0 }) });
  const begun = Date.now();
  await expect(follower.deliver(items, never)).rejects.toMatchObject({ code: 'target_away', message: expect.stringMatching(/acknowledged nothing for 1 s/) as unknown });
  expect(Date.now() - begun).toBeLessThan(5000);
  isMute = false;
  // It is connected again by itself, and says that it is there: nothing else.
  await expect.poll(() => broker.published.filter(({ topic }) => topic === 'lookout/available').length, { timeout: 5000 }).toBe(2);
  await delay(100);
  const told = broker.published.filter(({ topic }) => topic !== 'lookout/available');
  expect(told).toHaveLength(items.length);
  expect(await follower.deliver(items, never)).toEqual([]);
  expect(broker.published.filter(({ topic }) => topic !== 'lookout/available')).toHaveLength(2 * items.length);
});

it('a broker at the end of a slow line is waited for, as long as the bytes on their way ask for', async () => {
  const long = recordItem(1, { more: 'x'.repeat(10_000) });
  const { broker, follower } = await meet({ bytesPerSecond: 6000 });
  expect(await follower.deliver([long, eventItem(2)], never)).toEqual([]);
  expect(broker.published.filter((message) => isOf(long, message))).toHaveLength(1);
});

it('has no more than 100 messages on the way, and no more than the broker wants', async () => {
  const plenty = Array.from({ length: 500 }, (_one, number) => recordItem(number));
  // Receive maximum: 7.
  await Promise.all([{ most: 100 }, { most: 7, properties: [0x21, 0, 7] }].map(async ({ most, ...oddity }) => {
    const { broker, follower } = await meet({ ...oddity, answer: () => null });
    await expect(follower.deliver(plenty, never)).rejects.toMatchObject({ code: 'target_away' });
    expect(broker.published).toHaveLength(most);
  }));
});

it.each([
  [0x80, 'unspecified error'], [0x83, 'implementation specific'], [0x87, 'not authorized'], [0x91, 'identifier in use'], [0x97, 'quota exceeded'],
])('a message that is answered with %i waits', async (code, words) => {
  const { follower } = await meet({ answer: (message) => ({ acknowledge: isOf(items[1], message) ? code : 0 }) });
  await expect(follower.deliver(items, never)).rejects.toMatchObject({ code: 'target_away', message: expect.stringContaining(words) as unknown });
});

it.each([[0x90, 'topic name invalid'], [0x99, 'payload format invalid']])('a message that is answered with %i is refused, and only it', async (code, words) => {
  const { broker, follower } = await meet({ answer: (message) => ({ acknowledge: isOf(items[1], message) ? code : 0 }) });
  expect(await follower.deliver(items, never)).toEqual([{ item: items[1], reason: expect.stringContaining(words) as unknown }]);
  for (const item of items) expect(broker.published.filter((message) => isOf(item, message))).toHaveLength(1);
});

it('a message that nobody subscribes to is delivered', async () => {
  const { follower } = await meet({ answer: () => ({ acknowledge: 0x10 }) });
  expect(await follower.deliver(items, never)).toEqual([]);
});

it('of messages for one of which the connection is ended, that one is found and refused', async () => {
  const { broker, follower } = await meet({ answer: (message) => (isOf(items[1], message) ? { disconnect: 0x95 } : { acknowledge: 0 }) });
  expect(await follower.deliver(items, never)).toEqual([{ item: items[1], reason: expect.stringContaining('packet too large') as unknown }]);
  for (const item of [items[0], items[2]]) expect(broker.published.filter((message) => isOf(item, message)).length).toBeGreaterThan(0);
});

it('a retained message for which the connection is ended is given up, and items go on', async () => {
  const broker = await startOddBroker({ answer: ({ topic }) => (topic.endsWith('/snapshot') ? { disconnect: 0x95 } : { acknowledge: 0 }) });
  const warnings: unknown[] = [];
  const context = contextOf(settingsFor(broker.port));
  const follower = create({
    ...context,
    log: { info: () => undefined, warn: (_message, facts) => { warnings.push(facts); } },
    lookout: { ...context.lookout, streams: () => [{ camera_id: 'gate', state: 'running', enabled: true } as never] },
  });
  cleanup.push(() => broker.close(), () => follower.close());
  expect(await follower.deliver([eventItem(1, { at: new Date().toISOString() })], never)).toEqual([]);
  await expect.poll(() => warnings, { timeout: 10_000 }).toContainEqual({ topic: 'lookout/gate/dog/snapshot', reason: expect.stringContaining('packet too large') as unknown });
  await expect.poll(() => broker.published.filter(({ topic }) => topic.startsWith('homeassistant/')).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
  expect(await follower.deliver([recordItem(1)], never)).toEqual([]);
  expect(broker.published.filter(({ topic }) => topic.endsWith('/snapshot'))).toHaveLength(2);
});

it('a broker that ends the connection for another reason is away', async () => {
  const { follower } = await meet({ answer: (message) => (isOf(items[1], message) ? { disconnect: 0x8b } : { acknowledge: 0 }) });
  await expect(follower.deliver(items, never)).rejects.toMatchObject({ code: 'target_away', message: expect.stringContaining('server shutting down') as unknown });
});

it.each([
  [{ greeting: 0x86 }, 'refuses the user name or password'],
  [{ greeting: 0x88 }, 'server unavailable'],
  // Maximum QoS: 0.
  [{ properties: [0x24, 0] }, 'takes QoS 0 only'],
])('a broker that greets with %j is away', async (oddity, words) => {
  const { follower } = await meet(oddity);
  await expect(follower.deliver(items, never)).rejects.toMatchObject({ code: 'target_away', message: expect.stringContaining(words) as unknown });
});

/** A message of QoS 0 on the topic `a`, without properties. */
const message = (payload: number): Buffer => {
  const length = 4 + payload;
  return Buffer.concat([Buffer.from([0x30, 0x80 | (length & 0x7f), 0x80 | ((length >> 7) & 0x7f), length >> 14, 0, 1, 0x61, 0]), Buffer.alloc(payload, 0xff)]);
};

it('a broker that says much in short messages is heard, wherever they are cut', async () => {
  const says = Buffer.concat([message(60_000), ...Array.from({ length: 500 }, (_one, number) => message(number)), message(60_000)]);
  const { follower } = await meet({ says });
  expect(await follower.deliver(items, never)).toEqual([]);
  const lengths: number[] = [];
  const follow = followPackets((bytes) => lengths.push(bytes));
  for (const byte of says) follow(Buffer.of(byte));
  expect(lengths).toEqual([60_004, ...Array.from({ length: 500 }, (_one, number) => 4 + number), 60_004]);
});

it('a broker that begins a message which is longer than it may be is away', async () => {
  const { follower } = await meet({ says: Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0x61, 0]) });
  await expect(follower.deliver(items, never)).rejects.toMatchObject({ code: 'target_away', message: expect.stringContaining('a packet of 268435455 bytes, and was asked for 65536 at the most') as unknown });
});

it.each<[string, readonly number[]]>([['a message', [0x32, 4, 0, 1, 0x61, 0]], ['a release', [0x62, 0]]])('a broker whose packet of %s breaks off is away', async (_what, says) => {
  const { follower } = await meet({ says: Buffer.from(says) });
  await expect(follower.deliver(items, never)).rejects.toMatchObject({ code: 'target_away', message: expect.stringContaining('a packet that breaks off') as unknown });
});

it('a broker that repeats the password, at length, is told of without it, and in short', async () => {
  const { follower } = await meet({ answer: () => ({ disconnect: 0x8b, words: `you said geheim-9, ${'x'.repeat(5000)}` }) }, { username: 'me', password: 'geheim-9' });
  await expect(follower.deliver(items, never)).rejects.toMatchObject({ code: 'target_away', message: expect.stringMatching(/server shutting down \(0x8b\): you said \*\*\*, x{100,400}…$/) as unknown });
});

it('a broker that keeps nothing retained gets all the rest', async () => {
  // Retain available: no.
  const { broker, follower } = await meet({ properties: [0x25, 0] });
  expect(await follower.deliver(items, never)).toEqual([]);
  await expect.poll(() => broker.published.some(({ topic }) => topic === 'lookout/available')).toBe(true);
  expect(broker.published.filter(({ retain }) => retain)).toEqual([]);
});

it('a broker that accepts connections and says nothing is away after the time-out, and closing takes no second', async () => {
  const mute = await startOddBroker({ answer: () => null });
  const follower = create(contextOf(settingsFor(mute.port, { timeout_seconds: 5 })));
  cleanup.push(() => mute.close());
  await expect(follower.deliver(items, AbortSignal.timeout(300))).rejects.toMatchObject({ name: 'TimeoutError' });
  const begun = Date.now();
  await follower.close();
  expect(Date.now() - begun).toBeLessThan(1000);
  await expect.poll(() => mute.open()).toBe(0);
});
