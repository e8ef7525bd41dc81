/** The follower for MQTT brokers, against Debian's Mosquitto. */
import { join } from 'node:path';
import * as mqtt from '../../src/followers/mqtt.ts';
import type { MqttSettings } from '../../src/followers/mqtt/settings.ts';
import type { FollowerMember } from '../../src/types.ts';
import { followerContract } from '../contracts/follower.ts';
import { createMosquitto, writePasswords } from '../helpers/mosquitto.ts';
import { listen, type Heard, type Listener } from '../helpers/mqtt-listener.ts';
import { settingsFor } from './mqtt/settings.ts';

const member: FollowerMember<MqttSettings> = mqtt;
const [USER, PASSWORD] = ['lookout', 'geheim-9-Ω'];

followerContract('mqtt', {
  member,
  secret: PASSWORD,
  async target() {
    const broker = await createMosquitto((folder) => ['allow_anonymous false', `password_file ${join(folder, 'passwords')}`, 'max_queued_messages 0']);
    writePasswords(join(broker.folder, 'passwords'), USER, PASSWORD);
    const heard: Heard[] = [];
    let listener: Listener | null = null;
    return {
      settings: settingsFor(broker.port, { username: USER, password: PASSWORD }),
      async start() {
        await broker.start();
        listener = await listen(broker.port, heard, { username: USER, password: PASSWORD });
      },
      async stop() {
        await listener?.close();
        await broker.stop();
      },
      async received() {
        await listener?.settled();
        return heard.flatMap(({ id }) => (id === null ? [] : [id]));
      },
      async remove() {
        await listener?.close();
        await broker.remove();
      },
    };
  },
});
