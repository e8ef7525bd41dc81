import { finished } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { mpjpegSplitter } from '../../src/lib/mpjpeg.ts';

const part = (body: Buffer): Buffer => Buffer.concat([Buffer.from(`--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: ${body.length}\r\n\r\n`), body, Buffer.from('\r\n')]);
// They hold what could be taken for the end of a part.
const PICTURES = [Buffer.from('first'), Buffer.from('\r\n\r\n--ffmpeg\r\nContent-length: 3\r\n\r\n'), Buffer.alloc(100_000, 7)];
const STREAM = Buffer.concat(PICTURES.map(part));

async function split(chunks: readonly Buffer[]): Promise<Buffer[]> {
  const pictures: Buffer[] = [];
  const splitter = mpjpegSplitter((jpeg) => pictures.push(jpeg));
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  await finished(splitter);
  return pictures;
}

const inChunksOf = (size: number): Buffer[] => Array.from({ length: Math.ceil(STREAM.length / size) }, (_, index) => STREAM.subarray(index * size, (index + 1) * size));

describe('the splitter of mpjpeg', () => {
  it.each([1, 2, 3, 7, 64, 4096, STREAM.length])('finds the same pictures in chunks of %i bytes', async (size) => {
    expect(await split(inChunksOf(size))).toEqual(PICTURES);
  });

  it('hands out copies, so that a kept picture does not keep what came with it', async () => {
    const [first] = await split([STREAM]);
    expect(first?.buffer.byteLength).toBeLessThan(STREAM.length);
  });

  it('gives a picture as soon as its last byte is there, and no half ones', async () => {
    expect(await split([part(Buffer.from('whole')).subarray(0, -2), part(Buffer.from('half')).subarray(0, -3)])).toEqual([Buffer.from('whole')]);
  });

  it.each([
    ['a part without a length', '--ffmpeg\r\nContent-type: image/jpeg\r\n\r\n'],
    ['an empty part', '--ffmpeg\r\nContent-length: 0\r\n\r\n'],
    ['a part that is too large', '--ffmpeg\r\nContent-length: 99999999999\r\n\r\n'],
    ['bytes without an end of the header', 'x'.repeat(2000)],
  ])('fails at %s', async (_what, text) => {
    await expect(split([Buffer.from(text)])).rejects.toThrow('not an mpjpeg stream');
  });
});
