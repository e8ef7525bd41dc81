import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClip } from '../../src/demo/index.ts';
import { sceneGraph } from '../../src/demo/scene.ts';
import { readBinaryClock } from '../helpers/binary-clock.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;
let folder: string;

beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'lookout-scene-')); });
afterAll(async () => { await rm(folder, { recursive: true }); });

describe('the scene', () => {
  it('shows something that moves in any two pictures three seconds apart', async () => {
    const graph = sceneGraph({ width: 320, height: 180, fps: 1, clock: false, noise: 0 });
    const { stdout } = await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', graph, '-frames:v', '60', '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'], { encoding: 'buffer', maxBuffer: 10_000_000 });
    const size = 320 * 180;
    const picture = (index: number): Buffer => stdout.subarray(index * size, (index + 1) * size);
    for (let index = 0; index + 3 < 60; index++) {
      const later = picture(index + 3);
      const changed = picture(index).filter((value, at) => Math.abs(value - (later.at(at) ?? 0)) > 25).length;
      expect(changed / size, `from second ${index} on`).toBeGreaterThan(0.01);
    }
  });
});

describe('a clip', () => {
  it('has the bitrate, the key frames and the clock that were asked for', async () => {
    const file = join(folder, 'clip.mp4');
    await makeClip(file, { seconds: 6, width: 640, height: 360, fps: 25, bitrate: '2M', keyframe_seconds: 2, b_frames: 0, clock: true }, signal);
    const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'format=bit_rate:stream=has_b_frames:packet=pts_time,flags', '-of', 'json', file]);
    const { format, streams, packets } = JSON.parse(stdout) as {
      format: { bit_rate: string }; streams: { has_b_frames: number }[]; packets: { pts_time: string; flags: string }[];
    };
    expect(Number(format.bit_rate)).toBeGreaterThan(1_700_000);
    expect(Number(format.bit_rate)).toBeLessThan(2_300_000);
    expect(streams[0]?.has_b_frames).toBe(0);
    expect(packets.filter(({ flags }) => flags.startsWith('K')).map(({ pts_time }) => Number(pts_time))).toEqual([0, 2, 4]);
    const picture = join(folder, 'clip.jpg');
    await run('ffmpeg', ['-v', 'error', '-ss', '3.2', '-i', file, '-frames:v', '1', '-q:v', '3', '-vf', 'scale=320:-2', picture]);
    expect(Math.abs(await readBinaryClock(picture, 0) - 3200)).toBeLessThanOrEqual(50);
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const file = join(folder, 'cancelled.mp4');
    const cancel = new AbortController();
    const making = makeClip(file, { seconds: 600, width: 640, height: 360, fps: 25, bitrate: '2M', keyframe_seconds: 2, b_frames: 2, clock: false }, cancel.signal);
    setTimeout(() => { cancel.abort(); }, 300);
    await expect(making).rejects.toThrow();
    expect((await readdir(folder)).filter((name) => name.startsWith('cancelled'))).toEqual([]);
  });
});
