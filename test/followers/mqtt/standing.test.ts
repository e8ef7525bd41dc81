/** What stands at the broker: of now, whatever is caught up with, for whoever comes later, and for Home Assistant. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { create } from '../../../src/followers/mqtt.ts';
import { createPresence } from '../../../src/followers/mqtt/presence.ts';
import type { MqttSettings } from '../../../src/followers/mqtt/settings.ts';
import { LookoutError } from '../../../src/errors.ts';
import type { EventEntry, Follower, FollowerContext, Item, StreamChange, StreamStatus } from '../../../src/types.ts';
import { contextOf, eventItem, reviewItem } from '../../contracts/follower.ts';
import { createMosquitto, type Mosquitto } from '../../helpers/mosquitto.ts';
import { listen, type Heard, type Listener } from '../../helpers/mqtt-listener.ts';
import { faultsOfDiscovery } from './home-assistant.ts';
import { settingsFor } from './settings.ts';

const never = new AbortController().signal;
let broker: Mosquitto;
/** Of each test its own prefix, because what is retained stays. */
let number = 0;
const cleanup: (() => Promise<void>)[] = [];

beforeAll(async () => {
  broker = await createMosquitto(() => ['allow_anonymous true']);
  await broker.start();
});
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});
afterAll(() => broker.remove());

interface Cast {
  readonly prefix: string;
  readonly follower: Follower;
  readonly listener: Listener;
  readonly streams: Partial<StreamStatus>[];
  readonly changes: { readonly camera: string; readonly change: StreamChange }[];
  readonly warnings: string[];
  /** Payloads on a topic under the prefix, in their order. */
  readonly on: (topic: string) => readonly string[];
}

async function cast(more: Partial<MqttSettings> = {}, cameras: readonly (string | number)[] = ['gate'], context: Partial<FollowerContext<MqttSettings>> = {}): Promise<Cast> {
  number += 1;
  const prefix = `test${number}`;
  const streams: Partial<StreamStatus>[] = cameras.map((camera_id) => ({ camera_id, state: 'running', enabled: true }));
  const changes: { camera: string; change: StreamChange }[] = [];
  const warnings: string[] = [];
  const listener = await listen(broker.port);
  const settings = settingsFor(broker.port, { prefix, home_assistant: `${prefix}-house`, ...more });
  const basis = contextOf(settings);
  const follower = create({
    ...basis,
    log: { info: () => undefined, warn: (message, facts) => { warnings.push(`${message} ${JSON.stringify(facts)}`); } },
    lookout: {
      ...basis.lookout,
      streams: () => streams as StreamStatus[],
      change(camera, change) {
        changes.push({ camera, change });
        if (camera === 'broken') return Promise.reject(new LookoutError('bad_request', 'it cannot be switched'));
        const at = streams.findIndex(({ camera_id }) => String(camera_id) === camera);
        streams[at] = { ...streams[at], enabled: change.enabled === true };
        return Promise.resolve(streams[at] as StreamStatus);
      },
    },
    ...context,
  });
  cleanup.push(() => follower.close(), () => listener.close());
  return { prefix, follower, listener, streams, changes, warnings, on: (topic) => listener.heard.filter((one) => one.topic === `${prefix}/${topic}`).map(({ payload }) => payload.toString()) };
}

/** An entry made so many seconds ago. */
function entry(id: number, secondsAgo: number, state: EventEntry['state'], sequence: number, more: Partial<EventEntry> = {}): Item {
  const at = new Date(Date.now() - secondsAgo * 1000).toISOString();
  return eventItem(id, { at, last_seen_at: at, state, sequence, ...(state === 'ended' && { ended_at: at, ended_by: 'quiet' as const, batches: [] }), ...more });
}

/** What somebody who comes only now is told. */
async function retained(prefix: string): Promise<ReadonlyMap<string, Heard>> {
  const late = await listen(broker.port);
  try {
    await late.settled();
    return new Map(late.heard.filter((one) => one.retained && one.topic.startsWith(`${prefix}/`)).map((one) => [one.topic.slice(prefix.length + 1), one]));
  } finally {
    await late.close();
  }
}

describe('events', () => {
  it('say what they were before, as far as this process told it, and the same again when they come again', async () => {
    const { follower, listener, on, prefix } = await cast();
    const [begun, going, ended] = [entry(1, 3, 'begun', 0), entry(1, 2, 'going_on', 1), entry(1, 1, 'ended', 2)];
    await follower.deliver([begun], never);
    await follower.deliver([going, ended], never);
    await follower.deliver([going, ended, entry(2, 0, 'ended', 5)], never);
    await listener.settled();
    const told = on('events').map((payload) => JSON.parse(payload) as { type: string; before: EventEntry | null; after: EventEntry });
    expect(told.map(({ type, before, after }) => [type, before?.sequence ?? null, after.sequence])).toEqual([['new', null, 0], ['update', 0, 1], ['end', 1, 2], ['update', 0, 1], ['end', 1, 2], ['end', null, 5]]);
    expect(told[0]?.after).toEqual(begun.value);
    const messages = listener.heard.filter(({ topic }) => topic === `${prefix}/events`);
    expect(messages.map(({ id }) => id)).toEqual([begun.id, going.id, ended.id, going.id, ended.id, `${told[5]?.after.id ?? ''}/5`]);
    expect(new Set(messages.map(({ contentType, retained: isRetained }) => `${String(contentType)} ${String(isRetained)}`))).toEqual(new Set(['application/json false']));
  });

  it('are new where they begin to alert to who is brought alerts alone, also when they come again', async () => {
    const { follower, listener, on } = await cast();
    const [late, ended] = [entry(1, 2, 'going_on', 3, { alerts_now: true }), entry(1, 1, 'ended', 4)];
    for (const items of [[late], [late, ended]]) await follower.deliver(items, never);
    // All are brought to this one.
    await follower.deliver([entry(2, 3, 'begun', 0, { alert: false, suppressed: 'hours' }), entry(2, 2, 'going_on', 1, { alerts_now: true })], never);
    await listener.settled();
    const told = on('events').map((payload) => JSON.parse(payload) as { type: string; before: EventEntry | null; after: EventEntry });
    expect(told.map(({ type, before, after }) => [type, before?.sequence ?? null, after.sequence])).toEqual([
      ['new', null, 3], ['new', null, 3], ['end', 3, 4], ['new', null, 0], ['update', 0, 1],
    ]);
  });

  it('come with what else their log holds, which changes nothing of what is retained', async () => {
    const { follower, prefix, listener, on } = await cast();
    const review = reviewItem(1);
    const summary: Item = { ...review, id: 'summary-1', value: { kind: 'summary', id: 'summary-1', at: review.value['at'] ?? null, camera_id: 'gate', rule: 'dogs', day: '2026-01-01', suppressed: 1, alerts: 5, when: 'first' } };
    expect(await follower.deliver([review, summary], never)).toEqual([]);
    await listener.settled();
    expect(on('events').map((payload) => JSON.parse(payload) as unknown)).toEqual([{ type: 'review', before: null, after: review.value }, { type: 'summary', before: null, after: summary.value }]);
    expect([...(await retained(prefix)).keys()].sort()).toEqual(['available', 'gate/state']);
  });
});

describe('what is retained', () => {
  it('is the count of running events, the last one, and the picture, while it runs and after', async () => {
    const { follower, prefix, listener, on } = await cast();
    await follower.deliver([entry(1, 3, 'begun', 0), entry(2, 2, 'begun', 0)], never);
    expect((await retained(prefix)).get('gate/dog')?.payload.toString()).toBe('2');
    await follower.deliver([entry(1, 1, 'ended', 1)], never);
    await follower.deliver([entry(2, 0, 'ended', 1, { best: { captured_at: '2026-01-01T00:00:00.000Z', confidence: 0.7, box: null, width: 64, height: 48, picture: null } })], never);
    await listener.settled();
    expect(on('gate/dog')).toEqual(['2', '1', '0']);
    const standing = await retained(prefix);
    expect(JSON.parse(standing.get('gate/dog/last')?.payload.toString() ?? '')).toMatchObject({ camera_id: 'gate', class: 'dog', confidence: 0.7, latitude: 48.1, longitude: 11.5 });
    expect(standing.get('gate/dog/snapshot')).toMatchObject({ contentType: 'image/jpeg' });
    expect(standing.get('gate/dog/snapshot')?.payload.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    expect(standing.get('gate/state')?.payload.toString()).toBe('running');
    expect(standing.get('available')?.payload.toString()).toBe('online');
    expect([...standing.values()].filter(({ id }) => id !== null)).toEqual([]);
  });

  it('does not flip while a week is caught up with, and is of now once it is', async () => {
    const { follower, listener, on } = await cast();
    await follower.deliver([entry(1, 1, 'begun', 0)], never);
    await listener.settled();
    const [before, pictures] = [on('gate/dog'), on('gate/dog/snapshot').length];
    for (let id = 10; id < 40; id += 1) {
      await follower.deliver([entry(id, 600_000 - id, 'begun', 0), entry(id, 599_000 - id, 'ended', 1), entry(id + 100, 500_000, 'begun', 0, { class: 'cat' })], never);
    }
    await listener.settled();
    expect(on('gate/dog')).toEqual(before);
    expect(on('gate/dog/snapshot')).toHaveLength(pictures);
    expect(on('gate/cat')).toEqual([]);
    await expect(follower.deliver([entry(40, 500_000, 'begun', 0)], AbortSignal.abort(new Error('the follower is given an order')))).rejects.toThrow('an order');
    // Nothing more comes: what ended nobody knows is not running any more, after all that time.
    await expect.poll(() => on('gate/cat'), { timeout: 4000 }).toEqual(['0']);
    expect(on('gate/dog')).toEqual(before);
    await follower.deliver([entry(1, 0, 'ended', 1)], never);
    await listener.settled();
    expect(on('gate/dog')).toEqual([...before, '0']);
  });

  it('waits for what is caught up with while the broker is away, but not for ever', async () => {
    vi.useFakeTimers();
    onTestFinished(() => { vi.useRealTimers(); });
    const presence = createPresence(() => Promise.resolve());
    await presence.delivered([entry(1, 600_000, 'begun', 0)]);
    presence.end(true);
    vi.advanceTimersByTime(30_000);
    expect(presence.sights()).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(presence.sights()).toHaveLength(1);
    presence.close();
  });

  it('goes on where something came from a clock that was ahead', async () => {
    const { follower, prefix } = await cast();
    await follower.deliver([entry(1, -365 * 86_400, 'begun', 0)], never);
    await follower.deliver([entry(2, 1, 'begun', 0)], never);
    const standing = await retained(prefix);
    expect(JSON.parse(standing.get('gate/dog/last')?.payload.toString() ?? '')).toMatchObject({ event: entry(2, 0, 'begun', 0).value['id'] });
    expect(standing.get('gate/dog')?.payload.toString()).toBe('1');
  });

  it('shows no picture of an event that is not the last', async () => {
    const { follower, prefix, on } = await cast({}, ['gate'], { picture: ({ value }) => Promise.resolve(value['frames'] === 1 ? Buffer.from('a picture') : null) });
    await follower.deliver([entry(1, 2, 'begun', 0)], never);
    await follower.deliver([entry(2, 1, 'begun', 0, { frames: 2 })], never);
    expect([...(await retained(prefix)).keys()]).not.toContain('gate/dog/snapshot');
    expect(on('gate/dog/snapshot')).toEqual(['a picture', '']);
  });

  it('says that it was stopped, within a second', async () => {
    const { follower, prefix } = await cast();
    await follower.deliver([entry(1, 0, 'begun', 0)], never);
    const begun = Date.now();
    await follower.close();
    expect(Date.now() - begun).toBeLessThan(1000);
    expect((await retained(prefix)).get('available')?.payload.toString()).toBe('stopped');
  });

  it('says offline when the connection is lost, and all of it anew once there is another', async () => {
    const relay = await startRelay(broker.port);
    cleanup.push(() => relay.close());
    const { follower, listener, on } = await cast({ url: `mqtt://127.0.0.1:${relay.port}` });
    await follower.deliver([entry(1, 0, 'begun', 0)], never);
    relay.cut();
    await expect.poll(() => on('available'), { timeout: 5000 }).toEqual(['online', 'offline', 'online']);
    await expect.poll(() => on('gate/dog/snapshot').length).toBe(2);
    await listener.settled();
    expect(on('gate/dog')).toEqual(['1', '1']);
    expect(on('gate/state')).toEqual(['running', 'running']);
    expect(on('events')).toHaveLength(1);
  });

  it('follows the streams, and goes with them', async () => {
    const { follower, prefix, streams, on } = await cast({}, ['gate', 7]);
    follower.begin?.();
    await expect.poll(() => on('7/state')).toEqual(['running']);
    await follower.deliver([entry(1, 0, 'begun', 0), entry(2, 0, 'begun', 0, { camera_id: '7' }), entry(3, 0, 'begun', 0, { camera_id: 'of another' })], never);
    streams[0] = { ...streams[0], state: 'reconnecting' };
    await expect.poll(() => on('gate/state'), { timeout: 3000 }).toEqual(['running', 'reconnecting']);
    expect([...(await retained(prefix)).keys()].filter((topic) => topic.startsWith('of another'))).toEqual([]);
    const all = (await retained(`${prefix}-house`)).size;
    streams.splice(0, 1);
    await expect.poll(async () => [...(await retained(prefix)).keys()].sort(), { timeout: 5000, interval: 300 }).toEqual(['7/dog', '7/dog/last', '7/dog/snapshot', '7/state', 'available']);
    expect((await retained(`${prefix}-house`)).size).toBe(all / 2);
  });

  it('has a place of its own for every name', async () => {
    const names = ['a/b', 'a#b+c', 'line\nbreak', '$SYS', 'state', 'x'.repeat(10_000), `${'x'.repeat(9_999)}y`, 'ünï 🐕', 'a\0b', '\ud83d', ''];
    const { follower, prefix } = await cast({}, ['a/b']);
    await follower.deliver(names.map((name, id) => entry(id + 1, 0, 'begun', 0, { camera_id: 'a/b', class: name })), never);
    const standing = await retained(prefix);
    expect([...standing.keys()].filter((topic) => /^a%2Fb\/[^/]+$/.test(topic) && topic !== 'a%2Fb/state')).toHaveLength(names.length);
    expect(standing.get('a%2Fb/state')?.payload.toString()).toBe('running');
    expect(standing.get('a%2Fb/line%0Abreak')?.payload.toString()).toBe('1');
  });
});

describe('Home Assistant', () => {
  it('is told of each camera and class what its documentation wants to know', async () => {
    const { follower, prefix } = await cast({ commands: true }, ['gate', 'yard/2']);
    const names = ['dog', 'oil spill/slick', 'x'.repeat(10_000)];
    await follower.deliver(['gate', 'yard/2'].flatMap((camera_id, camera) => names.map((name, id) => entry(10 * camera + id + 1, 0, 'begun', 0, { camera_id, class: name }))), never);
    await expect.poll(async () => (await retained(`${prefix}-house`)).size).toBe(2 * (3 * names.length + 1));
    const found = await retained(`${prefix}-house`);
    const configs = [...found].map(([topic, { payload }]) => {
      expect(faultsOfDiscovery(`${prefix}-house`, `${prefix}-house/${topic}`, payload.toString())).toEqual([]);
      return JSON.parse(payload.toString()) as Record<string, string> & { device: { identifiers: string[]; name: string } };
    });
    expect(new Set(configs.map(({ unique_id }) => unique_id)).size).toBe(found.size);
    expect(new Set(configs.map(({ device }) => device.identifiers[0])).size).toBe(2);
    // What they name is there.
    const standing = await retained(prefix);
    const named = configs.flatMap(({ state_topic, image_topic, json_attributes_topic, availability_topic }) => [state_topic, image_topic, json_attributes_topic, availability_topic]).filter((topic) => topic !== undefined);
    expect(named.filter((topic) => !standing.has(topic.slice(prefix.length + 1)))).toEqual([]);
  });

  it('is told nothing where nobody wants it', async () => {
    const { follower, listener, prefix } = await cast({ home_assistant: null });
    await follower.deliver([entry(1, 0, 'begun', 0)], never);
    await listener.settled();
    expect(listener.heard.filter(({ topic }) => topic.startsWith(prefix) && topic.endsWith('/config'))).toEqual([]);
  });
});

describe('commands', () => {
  it('switch a camera off and on, and its state follows', async () => {
    const { follower, listener, changes, on, prefix } = await cast({ commands: true }, ['gate', 'yard/2']);
    follower.begin?.();
    await expect.poll(() => on('yard%2F2/enabled/state')).toEqual(['ON']);
    await listener.publish(`${prefix}/yard%2F2/enabled/set`, 'OFF');
    await expect.poll(() => on('yard%2F2/enabled/state')).toEqual(['ON', 'OFF']);
    await listener.publish(`${prefix}/yard%2F2/enabled/set`, 'ON');
    await expect.poll(() => on('yard%2F2/enabled/state')).toEqual(['ON', 'OFF', 'ON']);
    expect(changes).toEqual([{ camera: 'yard/2', change: { enabled: false } }, { camera: 'yard/2', change: { enabled: true } }]);
    expect((await retained(prefix)).get('yard%2F2/enabled/state')?.payload.toString()).toBe('ON');
  });

  it('are not carried out when they are retained, of no camera, or no command; those that fail are told', async () => {
    const { follower, listener, changes, warnings, on, prefix } = await cast({ commands: true }, ['gate', 'broken']);
    await listener.publish(`${prefix}/gate/enabled/set`, 'OFF', true);
    follower.begin?.();
    await expect.poll(() => on('gate/enabled/state')).toEqual(['ON']);
    await expect.poll(() => warnings.length).toBe(1);
    await listener.publish(`${prefix}/gate/enabled/set`, 'OFF', true);
    await listener.publish(`${prefix}/nowhere/enabled/set`, 'OFF');
    await listener.publish(`${prefix}/gate/enabled/set`, 'off');
    await listener.publish(`${prefix}/broken/enabled/set`, 'OFF');
    await expect.poll(() => warnings.length).toBe(5);
    expect(warnings.map((warning) => /retained|no such camera|neither ON nor OFF|cannot be switched/.exec(warning)?.[0])).toEqual(['retained', 'retained', 'no such camera', 'neither ON nor OFF', 'cannot be switched']);
    expect(changes).toEqual([{ camera: 'broken', change: { enabled: false } }]);
    await listener.publish(`${prefix}/gate/enabled/set`, '', true);
  });

  it('are not heard where they are not allowed', async () => {
    const { follower, listener, changes, on, prefix } = await cast();
    follower.begin?.();
    await expect.poll(() => on('available')).toEqual(['online']);
    await listener.publish(`${prefix}/gate/enabled/set`, 'OFF');
    await delay(200);
    expect(changes).toEqual([]);
    expect(on('gate/enabled/state')).toEqual([]);
  });
});

it('testing it sends a running one not away, and leaves nothing', async () => {
  const { follower, listener, on, prefix } = await cast();
  follower.begin?.();
  await expect.poll(() => on('available')).toEqual(['online']);
  const tester = create(contextOf(settingsFor(broker.port, { prefix })));
  expect(await tester.test(never)).toMatch(/takes messages under/);
  await tester.close();
  await listener.settled();
  expect(on('available')).toEqual(['online']);
  expect([...(await retained(prefix)).keys()].sort()).toEqual(['available', 'gate/state']);
});

/** Stands between the follower and its broker. */
async function startRelay(to: number): Promise<{ port: number; cut(): void; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => { other.destroy(); sockets.delete(socket); });
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => { for (const socket of sockets) socket.destroy(); };
  return { port: (server.address() as AddressInfo).port, cut, async close() { cut(); server.close(); await once(server, 'close'); } };
}
