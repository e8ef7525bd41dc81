/** What a camera costs that sends a JPEG for each picture: they pass as they are. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { capturing } from '../harness/capturing.mjs';
import { jpegCameras } from '../harness/cameras.mjs';
import { digits, median } from '../harness/numbers.mjs';

const CAMERAS = 10;
const PER_SECOND = 10;

export const oncePerRun = true;
export const lines = {
  mjpeg: { what: `a camera of ${PER_SECOND} JPEGs a second, 1280 x 720, by RTSP: % of a core`, atMost: 0.3 },
};

export async function measure(column, { quick, say }) {
  const times = quick ? { warm: 6, window: 10, rounds: 1 } : { warm: 10, window: 30, rounds: 3 };
  if (spawnSync('/usr/bin/python3', ['-c', 'import gi; gi.require_version("GstRtspServer", "1.0")']).status !== 0) {
    say('not measured: Debian\'s python3-gi and gir1.2-gst-rtsp-server-1.0 are not there');
    return { mjpeg: null };
  }
  const jpeg = join(column.folder, 'picture.jpg');
  const made = spawnSync('ffmpeg', ['-loglevel', 'error', '-i', column.clip, '-frames:v', '1', '-vf', 'scale=1280:720', '-c:v', 'mjpeg', '-huffman', 'default', '-pix_fmt', 'yuvj420p', '-q:v', '5', '-y', jpeg]);
  if (made.status !== 0) throw new Error(`no picture could be made: ${String(made.stderr)}`);
  const shares = [];
  for (let round = 0; round < times.rounds; round += 1) {
    const cameras = await jpegCameras(jpeg, CAMERAS, PER_SECOND);
    try {
      const { cpu, frames } = await capturing('libav', cameras.urls, column.folder, times);
      say(`${digits(cpu)} s for ${CAMERAS} cameras and ${frames} frames in ${times.window} s`);
      shares.push((100 * cpu) / CAMERAS / times.window);
    } finally {
      await cameras.close();
    }
  }
  return { mjpeg: median(shares) };
}
