/** Real clips, a real detector and an RTSP server by others, for tests that are skipped where they are absent. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const shared = fileURLToPath(new URL('../../../shared/', import.meta.url));

/** One of ../shared, or another by its whole path. */
export const clip = (name: string): string => resolve(`${shared}media`, name);
export const yolox = `${shared}models/yolox_nano.onnx`;

/** Debian's python3 with GStreamer's RTSP server runs it. */
export const hasPeer = existsSync(`${shared}tools/rtsp_peer.py`)
  && spawnSync('/usr/bin/python3', ['-c', 'import gi; gi.require_version("GstRtspServer", "1.0")']).status === 0;

export interface Peer {
  url(camera: string): string;
  close(): Promise<void>;
}

/** Serves the clips of ../shared as cameras with digest authentication, for so many minutes. */
export async function startPeer(cameras: Readonly<Record<string, string>>, minutes = 5): Promise<Peer> {
  const port = await freePort();
  const child = spawn('/usr/bin/python3', [
    `${shared}tools/rtsp_peer.py`, '--port', String(port), '--auth', 'user:pass', '--minutes', String(minutes),
    ...Object.entries(cameras).map(([name, file]) => `${name}=${clip(file)}`),
  ], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((done, reject) => {
    child.stdout.once('data', () => { done(); });
    child.once('exit', (code) => { reject(new Error(`the RTSP server ended with code ${code ?? 'none'}`)); });
  });
  return {
    url: (camera) => `rtsp://user:pass@127.0.0.1:${port}/${camera}`,
    close: () => new Promise((resolve) => {
      child.removeAllListeners('exit').once('exit', () => { resolve(); });
      child.kill('SIGKILL');
    }),
  };
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => { resolve(typeof address === 'object' && address ? address.port : 0); });
    });
  });
}
