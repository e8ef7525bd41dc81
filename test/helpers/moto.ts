/** A stranger that speaks S3: moto's server, which keeps everything in memory, behind a door that can be shut. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { leashed } from '../../src/lib/leash.ts';
import { until } from './app.ts';

export interface Moto {
  /** By way of the door. */
  readonly endpoint: string;
  /** Past it. */
  readonly behind: string;
  /** Nobody gets in, and who is in is thrown out. What it was given stays. */
  readonly shut: () => Promise<void>;
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const python = fileURLToPath(new URL('../../node_modules/.cache/moto/bin/python', import.meta.url));
const START_MS = 30_000;

export async function startMoto(): Promise<Moto> {
  if (!existsSync(python)) throw new Error('moto is not installed: node setup.mjs --test');
  const { file, args } = leashed(python, ['-u', '-m', 'moto.server', '-H', '127.0.0.1', '-p', '0']);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { said = (said + text).slice(-10_000); });
  const address = (): string | undefined => /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
  try {
    await until(() => address() !== undefined || child.exitCode !== null, START_MS, () => said);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const behind = address();
  if (behind === undefined) throw new Error(`moto ended: ${said}`);
  const door = createDoor(Number(new URL(behind).port));
  await door.open();
  return {
    endpoint: `http://127.0.0.1:${door.port()}`,
    behind,
    shut: door.shut,
    open: door.open,
    async close() {
      await door.shut();
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function createDoor(to: number): Pick<Moto, 'open' | 'shut'> & { readonly port: () => number } {
  const inside = new Set<Socket>();
  let server: Server | null = null;
  let port = 0;
  return {
    port: () => port,
    async open() {
      server = createServer((client) => {
        const far = connect(to, '127.0.0.1');
        for (const [socket, other] of [[client, far], [far, client]] as const) {
          inside.add(socket);
          socket.on('error', () => { other.destroy(); }).on('close', () => {
            inside.delete(socket);
            other.destroy();
          });
        }
        client.pipe(far).pipe(client);
      });
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
    },
    async shut() {
      const closed = server && once(server, 'close');
      server?.close();
      server = null;
      for (const socket of inside) socket.destroy();
      await closed;
    },
  };
}
