/** Cameras that push, in a process of their own, and what they push. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createCameraKeys } from '../../dist/store/camera-keys.js';
import { startOwn, stop } from './programs.mjs';

/** A JPEG of at most so many bytes, and hardly fewer: a street's worth of detail in 1280 x 720. */
export async function pictureOf(bytes, folder) {
  const file = join(folder, `${bytes}.jpg`);
  for (let quality = 2; quality <= 31; quality += 1) {
    const made = spawnSync('ffmpeg', ['-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=1280x720,noise=alls=25', '-frames:v', '1', '-q:v', String(quality), '-y', file]);
    if (made.status !== 0) throw new Error(`no picture could be made: ${String(made.stderr)}`);
    if ((await stat(file)).size <= bytes) return file;
  }
  throw new Error(`no picture of ${bytes} bytes could be made`);
}

/** Where so many cameras push to, each with its key, and how they are streams. `root`: of a Lookout that is not there yet. */
export async function pushCameras(root, count, options) {
  const keys = createCameraKeys(join(root, 'data'));
  const names = Array.from({ length: count }, (_, index) => `CAM-${index + 1}`);
  const headers = await Promise.all(names.map(async (name) => ({ 'X-Camera-Auth': await keys.make(name) })));
  return {
    streams: names.map((camera_id) => ({ camera_id, url: 'push:', models: [], options })),
    targets: (url) => names.map((name, index) => ({ url: `${url}/api/cameras/${name}/frames`, headers: headers[index] })),
  };
}

/** `answered` tells the milliseconds until each answer since it was asked last. It throws where more than one in a hundred was refused. */
export function startPushing(picture, perSecond, targets) {
  const child = startOwn('pushing', [picture, String(perSecond), JSON.stringify(targets)]);
  const lines = createInterface({ input: child.stdout });
  return {
    async answered() {
      const line = once(lines, 'line');
      child.stdin.write('\n');
      const { answered, refused } = JSON.parse((await line)[0]);
      if (refused.length > 0.01 * answered.length) throw new Error(`${refused.length} pictures were refused, and ${answered.length} taken: nothing can be said about what they cost. ${refused[0]}`);
      return answered;
    },
    close: () => stop(child),
  };
}
