/** What the rows are measured with: what the project has itself, and beside it what others made, where that is there. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeClip } from '../../dist/demo/index.js';
import { packageRoot } from '../../dist/lib/package.js';
import { ownCameras, peerCameras } from './cameras.mjs';

const shared = join(packageRoot, '../shared');
const peer = join(shared, 'tools/rtsp_peer.py');
const street = join(shared, 'media/dog-street.mp4');
const weights = join(shared, 'models');

/** For rows that are measured once in a run: a clip and weights that others made where they are there, else null. */
export const THEIRS = {
  clip: existsSync(street) ? street : null,
  weights: existsSync(join(weights, 'yolox_nano.onnx')) ? weights : null,
};

/** The camera of the rows about capture: 1080p25 at 4 Mbit/s without B-frames, a key frame every 2 s, x264's usual effort. */
export const CAMERA = { seconds: 20, width: 1920, height: 1080, fps: 25, bitrate: '4M', keyframe_seconds: 2, b_frames: 0, clock: false, preset: 'medium' };

/**
 * `cameras` plays the camera above so many times, `street` the column's own clip; `weights` is the folder of the YOLO file,
 * null for the embedded detector. `work` is an empty folder.
 */
export async function openColumns(work, signal) {
  const clip = join(work, 'camera.mp4');
  await makeClip(clip, CAMERA, signal);
  const own = {
    name: 'own camera, embedded detector', folder: join(work, 'own'), clip, weights: null,
    cameras: (count) => ownCameras(clip, count),
    street: (count) => ownCameras(clip, count),
  };
  const theirs = {
    name: 'rtsp_peer.py, its clips, YOLOX', folder: join(work, 'peer'), clip: street, weights,
    cameras: (count) => peerCameras(peer, clip, count, 3, theirs.folder),
    street: (count) => peerCameras(peer, street, count, 6, theirs.folder),
  };
  const lacking = whatPeerLacks();
  if (lacking) console.log(`No second column: ${lacking}.`);
  const columns = lacking ? [own] : [own, theirs];
  for (const { folder } of columns) await mkdir(folder);
  return columns;
}

function whatPeerLacks() {
  const missing = [peer, street, join(weights, 'yolox_nano.onnx')].find((file) => !existsSync(file));
  if (missing) return `there is no ${missing}`;
  const gi = spawnSync('/usr/bin/python3', ['-c', 'import gi; gi.require_version("GstRtspServer", "1.0")']);
  return gi.status === 0 ? null : `${peer} lacks GStreamer's RTSP server; its first lines tell how to install it`;
}
