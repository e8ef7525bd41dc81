/** RTSP cameras that send a JPEG for each picture (RFC 2435): each engine shows them, and capture hosts pass them on as they are. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { canUse, captureRtsp, closeSources, ENGINES, firstFrames, inWords, jpegOf, never } from './streams.ts';

const START_OF_SCAN = Buffer.from([0xff, 0xda]);
const pictures = 40;
let folder: string;
let camera: DemoCamera;
/** The compressed data of each, behind the tables, which RTP does not carry as they were. */
let sent: readonly string[];

/** From its scan to its end. */
function scanOf(jpeg: Uint8Array): string {
  const bytes = Buffer.from(jpeg);
  return bytes.subarray(bytes.lastIndexOf(START_OF_SCAN), bytes.lastIndexOf(0xd9) + 1).toString('latin1');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-mjpeg-'));
  const file = join(folder, 'pictures.avi');
  // RTP has room for the usual tables only.
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=320x176:r=10', '-frames:v', String(pictures), '-pix_fmt', 'yuvj420p', '-c:v', 'mjpeg', '-huffman', 'default', '-q:v', '5', file]);
  execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-c', 'copy', join(folder, '%d.jpg')]);
  sent = await Promise.all(Array.from({ length: pictures }, async (_, index) => scanOf(await readFile(join(folder, `${index + 1}.jpg`)))));
  camera = await startDemoCamera({ cameras: { pictures: { kind: 'clip', file } } }, never);
});
afterAll(async () => {
  await closeSources();
  await camera.close();
  await rm(folder, { recursive: true });
});

describe.each(ENGINES)('a camera of pictures, captured by %s,', (engine) => {
  it.skipIf(!canUse(engine))(`is shown in order, and passed on as it is (${inWords(engine)})`, async () => {
    const wide = await firstFrames(captureRtsp(camera.url('pictures'), { interval_seconds: 0.5 }, { engine }), 3);
    for (const { width, height, mode } of wide) expect({ width, height, mode }).toEqual({ width: 320, height: 176, mode: 'keyframes' });
    const times = wide.map(({ captured_at }) => Date.parse(captured_at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    if (engine === 'libav') for (const frame of wide) expect(sent).toContain(scanOf(jpegOf(frame)));
  });
});
