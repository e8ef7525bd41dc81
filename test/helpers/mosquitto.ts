/** Debian's MQTT broker, with a configuration, a port and a folder of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Mosquitto {
  readonly port: number;
  readonly folder: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  remove(): Promise<void>;
}

/** `lines` of its configuration, given its folder. */
export async function createMosquitto(lines: (folder: string) => readonly string[]): Promise<Mosquitto> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-mosquitto-'));
  const port = await freePort();
  let broker: ChildProcess | null = null;

  async function start(): Promise<void> {
    // As root it would become somebody who may not read the folder.
    const asItself = process.getuid?.() === 0 ? ['user root'] : [];
    await writeFile(join(folder, 'mosquitto.conf'), [...asItself, `listener ${port} 127.0.0.1`, ...lines(folder), ''].join('\n'));
    broker = spawn('/usr/sbin/mosquitto', ['-c', join(folder, 'mosquitto.conf')], { stdio: 'ignore' });
    const ended = once(broker, 'exit').then(() => { throw new Error('mosquitto does not start'); });
    const over = new AbortController();
    ended.catch(() => undefined).finally(() => { over.abort(); }).catch(() => undefined);
    await Promise.race([ended, listening(port, over.signal)]);
  }

  async function stop(): Promise<void> {
    if (!broker) return;
    const ended = broker.exitCode === null ? once(broker, 'exit') : null;
    broker.kill('SIGTERM');
    await ended;
    broker = null;
  }

  return {
    port, folder, start, stop,
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A file of passwords, of one user. */
export function writePasswords(file: string, user: string, password: string): void {
  const { status, stderr } = spawnSync('mosquitto_passwd', ['-b', '-c', file, user, password], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mosquitto_passwd: ${stderr}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      // Not yet.
      await delay(20);
    } finally {
      socket.destroy();
    }
  }
}
