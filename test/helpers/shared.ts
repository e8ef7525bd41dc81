/** Real clips, a real detector and an RTSP server by others, for tests that are skipped where they are absent. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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
  const folder = await mkdtemp(join(tmpdir(), 'lookout-peer-'));
  const child = spawn('/usr/bin/python3', [
    `${shared}tools/rtsp_peer.py`, '--port', String(port), '--auth', 'user:pass', '--minutes', String(minutes),
    ...Object.entries(cameras).map(([name, file]) => `${name}=${clip(file)}`),
    // It does not remove what it makes.
  ], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TMPDIR: folder } });
  await new Promise<void>((done, reject) => {
    child.stdout.once('data', () => { done(); });
    child.once('exit', (code) => { reject(new Error(`the RTSP server ended with code ${code ?? 'none'}`)); });
  });
  return {
    url: (camera) => `rtsp://user:pass@127.0.0.1:${port}/${camera}`,
    async close() {
      const ended = once(child.removeAllListeners('exit'), 'exit');
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true });
    },
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
