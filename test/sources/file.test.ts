import { execFile } from 'node:child_process';
import { access, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { imageSize } from 'image-size';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { makeClip } from '../../src/demo/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { create } from '../../src/sources/file.ts';
import type { CapturedFrame } from '../../src/types.ts';
import { sourceContract } from '../contracts/source.ts';
import { readBinaryClocks } from '../helpers/binary-clock.ts';
import { makePicture, numbered, numberOf } from '../helpers/http-camera.ts';
import { failureOf, firstFrames, inFolder, jpegOf, never, PICTURES, streamOf } from './streams.ts';

const CLIP = { width: 320, height: 180, fps: 10, bitrate: '500k', keyframe_seconds: 30, b_frames: 2, clock: true };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-file-'));
  await makeClip(join(folder, 'a \'clip\' 100%.mp4'), { ...CLIP, seconds: 4 }, never);
  const jpeg = await makePicture('mjpeg', '64x36');
  await mkdir(join(folder, 'pictures'));
  for (const [index, name] of ['3.jpg', '01.JPG', '10.jpeg', '02.jpg'].entries()) await writeFile(join(folder, 'pictures', name), numbered(jpeg, index));
  await writeFile(join(folder, 'pictures/04.png'), await makePicture('png', '32x18'));
  for (const name of ['notes.txt', '._01.jpg']) await writeFile(join(folder, 'pictures', name), 'not a picture');
});
afterAll(() => rm(folder, { recursive: true }));

function frames(url: string, interval_seconds: number, max_width: number | null = null): AsyncIterable<CapturedFrame> {
  return inFolder((own) => create({ config: { ...PICTURES, max_width } }).frames(streamOf(url, { interval_seconds }), own, never));
}

it.each(['AV_LOG_FORCE_COLOR', 'AV_LOG_FORCE_256COLOR', 'FFREPORT'])('shows a clip as ever where the host has set %s for its own ffmpegs', async (name) => {
  const report = join(folder, 'report.log');
  vi.stubEnv(name, name === 'FFREPORT' ? `file=${report}:level=48` : '1');
  onTestFinished(() => { vi.unstubAllEnvs(); });
  expect(await firstFrames(frames(pathToFileURL(join(folder, "a 'clip' 100%.mp4")).href, 1), 2)).toHaveLength(2);
  await expect(access(report)).rejects.toThrow('ENOENT');
});

const takenAt = ({ captured_at }: CapturedFrame): number => Date.parse(captured_at);

async function untilTheEnd(running: AsyncIterable<CapturedFrame>): Promise<{ taken: readonly CapturedFrame[]; end: unknown }> {
  const taken: CapturedFrame[] = [];
  try {
    for await (const frame of running) taken.push(frame);
  } catch (end) {
    return { taken, end };
  }
  throw new Error('it ended without saying so');
}

sourceContract('video files', async () => {
  const own = await mkdtemp(join(tmpdir(), 'lookout-file-contract-'));
  await makeClip(join(own, 'clip.mp4'), { ...CLIP, seconds: 8 }, never);
  return { url: join(own, 'clip.mp4'), close: () => rm(own, { recursive: true, force: true }) };
});

describe('a video file', () => {
  it('is played once at its own speed, with a picture at each tick', async () => {
    const began = Date.now();
    const { taken, end } = await untilTheEnd(frames(join(folder, 'a \'clip\' 100%.mp4'), 1));
    expect(end).toMatchObject({ code: 'stream_ended' });
    expect(taken).toHaveLength(4);
    expect(Date.now() - began).toBeGreaterThan(2500);
    const start = taken[0] ? takenAt(taken[0]) : 0;
    const shown = await readBinaryClocks(taken.map((frame, index) => ({ jpeg: jpegOf(frame), expectedMs: index * 1000 })));
    for (const [index, frame] of taken.entries()) {
      expect(frame).toMatchObject({ width: 320, height: 180, mode: 'all', missed: 0 });
      const shownMs = shown[index] ?? NaN;
      // The clip's own time tells that it is the first picture of its tick, and the capture time that it was played in time.
      expect(Math.abs(shownMs - index * 1000)).toBeLessThan(200);
      expect(Math.abs(takenAt(frame) - start - shownMs)).toBeLessThan(500);
    }
  });

  it('may hold a gap as long as a stall', async () => {
    const gap = join(folder, 'gap.mkv');
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=160x90:r=10:d=10', '-vf', "select='lt(t,1)+gt(t,8.5)'", '-fps_mode', 'vfr', '-pix_fmt', 'yuv420p', '-g', '1', gap]);
    const { taken, end } = await untilTheEnd(frames(gap, 1));
    expect(end).toMatchObject({ code: 'stream_ended' });
    expect(taken).toHaveLength(3);
  });

  it('may be named by a path or by a URL', async () => {
    const path = join(folder, 'a \'clip\' 100%.mp4');
    for (const url of [path, `file:${path}`, pathToFileURL(path).href]) {
      expect(await firstFrames(frames(url, 1, 160), 1)).toMatchObject([{ width: 160, height: 90 }]);
    }
  });
});

describe('a folder of pictures', () => {
  it('is shown by name, a picture at each tick, until the last', async () => {
    const { taken, end } = await untilTheEnd(frames(join(folder, 'pictures'), 0.4));
    expect(end).toMatchObject({ code: 'stream_ended' });
    expect(taken.map((frame) => frame.width)).toEqual([64, 64, 64, 32, 64]);
    expect(taken.filter((_, index) => index !== 3).map((frame) => numberOf(jpegOf(frame)))).toEqual([1, 3, 0, 2]);
    for (const frame of taken) expect(imageSize(jpegOf(frame))).toMatchObject({ type: 'jpg', width: frame.width, height: frame.height });
    const start = taken[0] ? takenAt(taken[0]) : 0;
    // A busy machine may be late, most of all after the picture that ffmpeg has to convert; early is none.
    const lateMs = taken.map((frame, index) => takenAt(frame) - start - index * 400);
    expect(Math.min(...lateMs)).toBeGreaterThan(-300);
    expect(Math.max(...lateMs)).toBeLessThan(2000);
  });

  it('goes on while nobody takes, but shows the last picture in any case', async () => {
    const running = frames(pathToFileURL(join(folder, 'pictures')).href, 0.4)[Symbol.asyncIterator]();
    await running.next();
    await systemClock.sleep(900, never);
    const second = (await running.next()).value as CapturedFrame;
    expect(second.missed).toBeGreaterThanOrEqual(1);
    await systemClock.sleep(4000, never);
    const last = (await running.next()).value as CapturedFrame;
    expect(numberOf(jpegOf(last))).toBe(2);
    expect(1 + second.missed + 1 + last.missed + 1).toBe(5);
    await expect(running.next()).rejects.toMatchObject({ code: 'stream_ended' });
  });

  it('may be a single picture', async () => {
    const { taken } = await untilTheEnd(frames(join(folder, 'pictures/04.png'), 1));
    expect(taken).toMatchObject([{ width: 32, height: 18, mode: 'pictures' }]);
  });

  it('says which picture cannot be read', async () => {
    await mkdir(join(folder, 'broken'));
    await copyFile(join(folder, 'pictures/notes.txt'), join(folder, 'broken/1.jpg'));
    expect(await failureOf(frames(join(folder, 'broken'), 1))).toMatchObject({ code: 'stream_codec', message: '1.jpg is neither a JPEG nor a PNG picture' });
  });
});

it('says what is missing', async () => {
  await mkdir(join(folder, 'empty'));
  expect(await failureOf(frames(join(folder, 'none.mp4'), 1))).toMatchObject({ code: 'stream_not_found', message: `${join(folder, 'none.mp4')} does not exist` });
  expect(await failureOf(frames(join(folder, 'empty'), 1))).toMatchObject({ code: 'stream_not_found', message: `${join(folder, 'empty')} holds no picture (.jpg, .jpeg, .png)` });
  expect(await failureOf(frames('file://elsewhere/clip.mp4', 1))).toMatchObject({ code: 'stream_not_found' });
  expect(await failureOf(frames(join(folder, 'pictures/notes.txt'), 1))).toMatchObject({ code: 'stream_codec' });
});
