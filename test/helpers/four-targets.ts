/** Real servers of the four kinds that are delivered to, each with a follower of the name that its field has. */
import type { S3Client } from '@aws-sdk/client-s3';
import { clientOf, makeBucket } from '../followers/s3/fixtures.ts';
import { startHook, type Hook } from './hook.ts';
import { createMosquitto, type Mosquitto } from './mosquitto.ts';
import { startMoto, type Moto } from './moto.ts';
import { listen, type Listener } from './mqtt-listener.ts';
import { createPostgres, type PostgresServer } from './postgres-server.ts';

export interface FourTargets {
  readonly hook: Hook;
  readonly broker: Mosquitto;
  /** Of all that is published; the broker keeps for it what comes before it is there again. */
  readonly listener: Listener;
  /** With a database `lookout`. */
  readonly database: PostgresServer;
  readonly moto: Moto;
  readonly s3: S3Client;
  readonly bucket: string;
  /** For lookout.yaml. */
  followers(settings?: object): readonly object[];
  close(): Promise<void>;
}

export async function startFourTargets(): Promise<FourTargets> {
  const [hook, broker, database, moto] = await Promise.all([
    startHook(), createMosquitto((own) => ['allow_anonymous true', 'persistence true', `persistence_location ${own}/`, 'max_queued_messages 0']), createPostgres(), startMoto(),
  ]);
  await Promise.all([broker.start(), database.start()]);
  await database.sql('CREATE DATABASE lookout');
  const listener = await listen(broker.port, [], { clientId: 'listener', clean: false, properties: { sessionExpiryInterval: 3600 }, reconnectPeriod: 200 });
  const s3 = clientOf(moto.behind);
  const bucket = await makeBucket(s3);
  return {
    hook, broker, listener, database, moto, s3, bucket,
    followers: (settings = {}) => [
      { name: 'hook', type: 'webhook', url: hook.url, ...settings },
      { name: 'broker', type: 'mqtt', url: `mqtt://127.0.0.1:${broker.port}`, ...settings },
      { name: 'database', type: 'postgres', url: database.url('lookout'), ...settings },
      { name: 'bucket', type: 's3', bucket, endpoint: moto.endpoint, access_key_id: 'AKIATEST', secret_access_key: 'test', ...settings },
    ],
    async close() {
      s3.destroy();
      await listener.close();
      await Promise.all([hook.stop(), broker.remove(), database.remove(), moto.close()]);
    },
  };
}
