/** RTMP servers that send a small video to the one who comes first: `ffmpeg -listen 1`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { until } from './app.ts';

const VIDEO = ['-v', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', 'testsrc=s=64x32:r=10', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '5', '-pix_fmt', 'yuv420p', '-an', '-f', 'flv'];

export interface RtmpServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** `path`: of the stream, such as `/live/camera`. Resolves once it listens. */
export async function startRtmpServer(path: string): Promise<RtmpServer> {
  const port = await freePort();
  const child = spawn('ffmpeg', [...VIDEO, '-listen', '1', `rtmp://127.0.0.1:${port}${path}`], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  // A connection would be the one that it waits for.
  await until(() => listens(port), 20_000, () => 'ffmpeg does not listen');
  return {
    port,
    close: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export interface RtmpListener extends RtmpServer {
  /** The address that the last one said that it opens. */
  readonly told: () => string;
}

const HANDSHAKE = 1536;

/** A server that hears whom it is taken for, and hangs up. */
export async function startRtmpListener(): Promise<RtmpListener> {
  let told = '';
  const server = createServer((socket) => {
    let heard = Buffer.alloc(0);
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => {
      const before = heard.length;
      heard = Buffer.concat([heard, bytes]);
      if (before <= HANDSHAKE && heard.length > HANDSHAKE) socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(HANDSHAKE), heard.subarray(1, 1 + HANDSHAKE)]));
      const address = tcUrlOf(heard.subarray(1 + 2 * HANDSHAKE));
      if (address === null) return;
      told = address;
      socket.destroy();
    });
  }).listen(0);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    told: () => told,
    close: async () => { await new Promise((closed) => server.close(closed)); },
  };
}

/** Of a first command, which comes in pieces of 128 bytes; null: it is not whole. */
function tcUrlOf(command: Buffer): string | null {
  if (command.length < 12) return null;
  const pieces = [];
  for (let at = 12; at < command.length; at += 129) pieces.push(command.subarray(at, at + 128));
  const body = Buffer.concat(pieces);
  if (body.length < command.readUIntBE(4, 3)) return null;
  const at = body.indexOf('tcUrl') + 'tcUrl'.length + 1;
  return body.toString('latin1', at + 2, at + 2 + body.readUInt16BE(at));
}

/** Whether somebody of this machine waits at that port, as the kernel's table says. */
function listens(port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8').split('\n').some((line) => {
    const [, address = '', , state] = line.trim().split(/\s+/);
    return address.endsWith(local) && state === '0A';
  });
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
