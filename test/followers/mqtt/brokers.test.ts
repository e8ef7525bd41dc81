/** Mosquitto as it is set up elsewhere: with TLS and passwords, with limits, with rights for some topics only, started again without a memory. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { create } from '../../../src/followers/mqtt.ts';
import { packetSize } from '../../../src/followers/mqtt/packet-size.ts';
import type { MqttSettings } from '../../../src/followers/mqtt/settings.ts';
import type { Follower } from '../../../src/types.ts';
import { contextOf, eventItem, recordItem } from '../../contracts/follower.ts';
import { createMosquitto, writePasswords, type Mosquitto } from '../../helpers/mosquitto.ts';
import { listen } from '../../helpers/mqtt-listener.ts';
import { hasOpenssl } from '../../helpers/openssl.ts';
import { settingsFor } from './settings.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
const PASSWORD = 'geheim-9';
const cleanup: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

async function startBroker(lines: (folder: string) => readonly string[], prepare: (folder: string) => Promise<void> = () => Promise.resolve()): Promise<Mosquitto> {
  const broker = await createMosquitto(lines);
  cleanup.push(() => broker.remove());
  await prepare(broker.folder);
  await broker.start();
  return broker;
}

function follow(settings: MqttSettings): Follower {
  const follower = create(contextOf(settings));
  cleanup.push(() => follower.close());
  return follower;
}

const away = (words: RegExp): object => ({ code: 'target_away', message: expect.stringMatching(words) as unknown });

describe.runIf(hasOpenssl)('over TLS, with a password', () => {
  /** An authority, and a certificate of it for localhost. */
  async function makeCertificates(folder: string): Promise<void> {
    const openssl = (...args: readonly string[]): Promise<unknown> => run('openssl', args, { cwd: folder });
    await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '3', '-subj', '/CN=Our authority');
    await openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'broker.key', '-out', 'broker.csr', '-subj', '/CN=localhost');
    await writeFile(join(folder, 'names'), 'subjectAltName=DNS:localhost');
    await openssl('x509', '-req', '-in', 'broker.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'broker.pem', '-days', '3', '-extfile', 'names');
  }

  it('delivers to whom it should, and to nobody else', async () => {
    const broker = await startBroker(
      (folder) => ['allow_anonymous false', `password_file ${join(folder, 'passwords')}`, ...['cafile ca.pem', 'certfile broker.pem', 'keyfile broker.key'].map((line) => line.replace(' ', ` ${folder}/`))],
      async (folder) => {
        await makeCertificates(folder);
        writePasswords(join(folder, 'passwords'), 'lookout', PASSWORD);
      },
    );
    const good = settingsFor(broker.port, { url: `mqtts://localhost:${broker.port}`, ca: join(broker.folder, 'ca.pem'), username: 'lookout', password: PASSWORD });
    const deliver = (more: Partial<MqttSettings>): Promise<unknown> => follow({ ...good, ...more }).deliver([recordItem(1)], never);
    expect(await deliver({})).toEqual([]);
    expect(await deliver({ ca: null, tls: 'off' })).toEqual([]);
    await expect(deliver({ ca: null })).rejects.toMatchObject(away(/certificate is not trusted: .* ca /));
    await expect(deliver({ url: `mqtts://127.0.0.1:${broker.port}` })).rejects.toMatchObject(away(/certificate is for another name/));
    await expect(deliver({ ca: join(broker.folder, 'none.pem') })).rejects.toMatchObject(away(/file of ca cannot be read/));
    await expect(deliver({ url: `mqtt://localhost:${broker.port}`, ca: null, timeout_seconds: 1 })).rejects.toMatchObject(away(/^mqtt:\/\/localhost/));
    const failure = await deliver({ password: 'falsch-9' }).catch(String);
    expect(failure).toMatch(/refuses the user name or password/);
    expect(failure).not.toContain('falsch-9');
  });
});

describe('limits', () => {
  it('that the broker announces: what is larger is refused, to the byte, and the rest delivered', async () => {
    const most = 5000;
    const broker = await startBroker(() => ['allow_anonymous true', `max_packet_size ${most}`]);
    const listener = await listen(broker.port);
    cleanup.push(() => listener.close());
    const follower = follow(settingsFor(broker.port));
    expect(await follower.test(never)).toMatch(/5000 bytes at the most/);
    const sizeOf = (text: string): number => {
      const item = recordItem(2, { text });
      return packetSize({ topic: 'lookout/records', payloadBytes: Buffer.byteLength(JSON.stringify(item.value)), contentType: 'application/json', userProperties: { id: item.id } });
    };
    const fits = 'x'.repeat(most - sizeOf('') - 1);
    expect(sizeOf(`${fits}x`)).toBe(most);
    const items = [recordItem(1), recordItem(2, { text: `${fits}x` }), recordItem(3, { text: `${fits}xx` }), recordItem(4)];
    expect(await follower.deliver(items, never)).toEqual([{ item: items[2], reason: expect.stringMatching(/packet of 5001 bytes.*takes 5000/) as unknown }]);
    expect((await listener.settled()).flatMap(({ id }) => (id === null ? [] : [id]))).toEqual([1, 2, 4].map((number) => recordItem(number).id));
  });

  it('that the broker keeps to itself: what it does not take is found and refused', async () => {
    const broker = await startBroker(() => ['allow_anonymous true', 'message_size_limit 5000']);
    const listener = await listen(broker.port);
    cleanup.push(() => listener.close());
    const follower = follow(settingsFor(broker.port));
    const items = [recordItem(1), recordItem(2, { text: 'x'.repeat(5000) }), recordItem(3), eventItem(4)];
    expect(await follower.deliver(items, never)).toEqual([{ item: items[1], reason: expect.stringContaining('message_size_limit') as unknown }]);
    expect(new Set((await listener.settled()).flatMap(({ id }) => (id === null ? [] : [id])))).toEqual(new Set([items[0], items[2], items[3]].map((item) => item?.id)));
  });
});

it('a topic that may not be written is the broker\'s business: what is for it waits', async () => {
  const broker = await startBroker(
    (folder) => ['allow_anonymous true', `acl_file ${join(folder, 'rights')}`],
    (folder) => writeFile(join(folder, 'rights'), 'topic write lookout/events\ntopic write lookout/available\n'),
  );
  const follower = follow(settingsFor(broker.port));
  expect(await follower.deliver([eventItem(1)], never)).toEqual([]);
  await expect(follower.deliver([recordItem(1)], never)).rejects.toMatchObject(away(/messages on lookout\/records: not authorized/));
  await expect(follower.test(never)).rejects.toMatchObject(away(/not authorized/));
});

it('a broker that comes back with nothing retained is told all anew, without an item', async () => {
  const broker = await startBroker(() => ['allow_anonymous true']);
  const context = contextOf(settingsFor(broker.port));
  const follower = create({ ...context, lookout: { ...context.lookout, streams: () => [{ camera_id: 'gate', state: 'running', enabled: true } as never] } });
  cleanup.push(() => follower.close());
  await follower.deliver([eventItem(1, { at: new Date().toISOString() })], never);
  await broker.stop();
  await delay(100);
  await broker.start();
  const listener = await listen(broker.port);
  cleanup.push(() => listener.close());
  await expect.poll(() => new Set(listener.heard.map(({ topic }) => topic)), { timeout: 10_000 }).toEqual(new Set([
    'lookout/available', 'lookout/gate/state', 'lookout/gate/dog', 'lookout/gate/dog/last', 'lookout/gate/dog/snapshot',
    ...['binary_sensor', 'image', 'sensor'].map((component) => expect.stringMatching(`^homeassistant/${component}/lookout_gate_\\w+/dog/config$`) as unknown),
  ]));
});
