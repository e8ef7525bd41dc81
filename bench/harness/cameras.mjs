/** RTSP servers in processes of their own: the project's camera, and one that others made. */
import { join } from 'node:path';
import { packageRoot } from '../../dist/lib/package.js';
import { freePort } from './port.mjs';
import { readLines, start, startOwn, stop } from './programs.mjs';

/** The project's own: a path, and a process that plays, for each camera. */
export async function ownCameras(file, count) {
  const child = startOwn('camera', [file, String(count)]);
  return { pid: child.pid, urls: await readLines(child, count), close: () => stop(child) };
}

/**
 * GStreamer's, by the script `peer`: a path for each camera, which begins anew when nobody watches and plays for so many
 * minutes. Its longer copy of the file goes to `folder`.
 */
export async function peerCameras(peer, file, count, minutes, folder) {
  const port = await freePort();
  const paths = Array.from({ length: count }, (_, index) => `camera-${index + 1}`);
  const child = start('/usr/bin/python3', [peer, '--port', String(port), '--minutes', String(minutes), ...paths.map((path) => `${path}=${file}`)], {
    env: { TMPDIR: folder }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  await readLines(child, 1);
  return { urls: paths.map((path) => `rtsp://127.0.0.1:${port}/${path}`), close: () => stop(child) };
}

/** Of pictures that are each a JPEG, over RTSP by GStreamer. */
export async function jpegCameras(jpeg, count, perSecond) {
  const port = await freePort();
  const child = start('/usr/bin/python3', [join(packageRoot, 'bench/programs/mjpeg.py'), String(port), String(count), jpeg, String(perSecond)]);
  await readLines(child, 1);
  return { urls: Array.from({ length: count }, (_, index) => `rtsp://127.0.0.1:${port}/camera-${index + 1}`), close: () => stop(child) };
}
