/** RTSP servers in processes of their own: the project's camera, and one that others made. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { readLines, start, startOwn, stop } from './programs.mjs';

/** The project's own: a path, and a process that plays, for each camera. */
export async function ownCameras(file, count) {
  const child = startOwn('camera', [file, String(count)]);
  return { urls: await readLines(child, count), pid: child.pid, close: () => stop(child) };
}

/** GStreamer's, by the script `peer`: one path for all cameras. Its working copy of the file goes to `folder`. */
export async function peerCameras(peer, file, count, folder) {
  const port = await freePort();
  const child = start('/usr/bin/python3', [peer, '--port', String(port), '--minutes', '12', `camera=${file}`], { env: { TMPDIR: folder }, stdio: ['ignore', 'pipe', 'inherit'] });
  await readLines(child, 1);
  return { urls: Array.from({ length: count }, () => `rtsp://127.0.0.1:${port}/camera`), pid: child.pid, close: () => stop(child) };
}

async function freePort() {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address();
  await once(server.close(), 'close');
  return port;
}
