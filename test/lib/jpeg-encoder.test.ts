/** The size and the form of ffmpeg's pictures, against what OpenCV 4.10 makes of the same ones. */
import { describe, expect, it } from 'vitest';
import { jpegEncoder } from '../../src/lib/jpeg-encoder.ts';
import { ffmpeg } from '../sources/feeds/native/clips.ts';

/** ffmpeg draws them; the bytes are OpenCV's at 50, 75 and 95. */
const PICTURES = [
  ['mandelbrot=s=640x360:start_scale=0.02', [30_946, 45_381, 93_518]],
  ['mandelbrot=s=640x360:start_scale=0.3,gblur=0.8,noise=alls=5:all_seed=3', [13_003, 20_096, 67_237]],
  ['sierpinski=s=640x360:seed=4,gblur=1', [51_545, 72_829, 139_493]],
] as const;

const drawn = (picture: string, format: string): readonly string[] => ['-f', 'lavfi', '-i', `${picture},format=${format}`, '-frames:v', '1'];

/** `source`: what ffmpeg reads, as its options. */
async function encode(source: readonly string[], quality: number, input?: Buffer): Promise<Buffer> {
  return await ffmpeg([...source, ...jpegEncoder(quality), '-f', 'mjpeg', '-'], input);
}

describe.each(PICTURES)('a picture such as %s', (picture, bytes) => {
  it('is as large as OpenCV makes it', async () => {
    // To draw it takes much longer than to encode it.
    const pixels = await ffmpeg([...drawn(picture, 'rgb24'), '-c:v', 'rawvideo', '-f', 'nut', '-']);
    for (const [i, quality] of [50, 75, 95].entries()) {
      const ratio = (await encode(['-f', 'nut', '-i', '-'], quality, pixels)).length / (bytes[i] ?? 0);
      expect(Math.abs(ratio - 1), `at ${quality}: ${ratio}`).toBeLessThan(0.05);
    }
  });
});

it('a picture has half the chroma both ways, whatever its source has, and the standard codes', async () => {
  for (const format of ['rgb24', 'yuv422p', 'yuvj444p', 'gray']) {
    const jpeg = await encode(drawn('testsrc2=s=64x48', format), 95);
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    expect([11, 14, 17].map((at) => jpeg[frame + at]), format).toEqual([0x22, 0x11, 0x11]);
    const codes = jpeg.indexOf(Buffer.from([0xff, 0xc4]));
    expect(jpeg.readUInt16BE(codes + 2), format).toBe(2 + 2 * (17 + 12 + 17 + 162));
  }
});

it('a better quality never has a coarser table, from 1 to 100', () => {
  const sums = Array.from({ length: 100 }, (_, i) => {
    const words = jpegEncoder(i + 1);
    const tables = ['-intra_matrix', '-chroma_intra_matrix'].flatMap((name) => (words[words.indexOf(name) + 1] ?? '').split(',').map(Number));
    expect(tables).toHaveLength(128);
    expect(Math.min(...tables)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...tables)).toBeLessThanOrEqual(255);
    return tables.reduce((sum, entry) => sum + entry);
  });
  expect(sums).toEqual([...sums].sort((a, b) => b - a));
  expect(sums.at(-1)).toBe(128);
});
