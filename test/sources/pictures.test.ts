/** Pictures as strangers may make them: small to send, large to look at. */
import { crc32, deflateSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { measure } from '../../src/lib/jpeg.ts';
import { plainPng } from '../../src/lib/png.ts';
import { asJpeg, willDo } from '../../src/sources/pictures/jpeg.ts';
import { makePicture } from '../helpers/http-camera.ts';
import { alive, descendants, memoryMb } from '../helpers/process-tree.ts';
import { never, PICTURES } from './streams.ts';

let jpeg: Buffer;
beforeAll(async () => { jpeg = await makePicture('mjpeg', '320x180'); });

/** The frame header of a JPEG says this size. */
function claiming(width: number, height: number): Buffer {
  const copy = Buffer.from(jpeg);
  const at = copy.indexOf(Buffer.from([0xff, 0xc0]));
  copy.writeUInt16BE(height, at + 5);
  copy.writeUInt16BE(width, at + 7);
  return copy;
}

function chunk(name: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(name), data]);
  const around = Buffer.alloc(4);
  around.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([around, named, check]);
}

function png(width: number, height: number, before: readonly Buffer[] = [], after: readonly Buffer[] = []): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0]);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  const rows = deflateSync(Buffer.alloc(Math.min(height, 64) * (width + 1)));
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...before, chunk('IHDR', header), ...after, chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

/** The most memory that a child had while this was done, in MB. */
async function peakOf(work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const look = setInterval(() => {
    for (const { pid } of alive(descendants(process.pid))) {
      peak = Math.max(peak, memoryMb(pid, 'VmHWM'));
    }
  }, 5);
  try {
    await work();
  } finally {
    clearInterval(look);
  }
  return peak;
}

const made = (bytes: Buffer): ReturnType<typeof asJpeg> => asJpeg(bytes, 'the picture', PICTURES, never);

describe('a picture of more than 64 megapixels', () => {
  it.each([['JPEG', () => claiming(65_000, 65_000)], ['PNG', () => png(15_000, 15_000)]])('is refused for what its header says: %s', async (_type, bytes) => {
    await expect(made(bytes())).rejects.toMatchObject({ code: 'stream_codec', message: expect.stringMatching(/^the picture has \d+ x \d+ pixels, more than 64 megapixels/) as string });
  });

  it('is no file that is copied as it is', () => {
    const size = { type: 'jpg', orientation: 1, torn: false } as const;
    expect(willDo({ ...size, width: 8000, height: 8000 }, PICTURES)).toBe(true);
    expect(willDo({ ...size, width: 9000, height: 9000 }, PICTURES)).toBe(false);
  });

  it('is measured by the larger of two headers', () => {
    const second = claiming(16, 16).subarray(2);
    expect(measure(Buffer.concat([claiming(65_000, 65_000).subarray(0, -2), second]))).toMatchObject({ width: 65_000, height: 65_000 });
  });

  it('is refused by ffmpeg where its header hides', async () => {
    // As iPhones write it, the header comes second: one that says little, inside of the first chunk, is read for it.
    const small = Buffer.concat([Buffer.alloc(12), Buffer.from('IHDR'), Buffer.from([0, 0, 0, 16, 0, 0, 0, 16]), Buffer.alloc(60)]);
    const hiding = png(20_000, 20_000, [chunk('CgBI', small)]);
    expect(measure(hiding)).toMatchObject({ width: 16, height: 16 });
    expect(await peakOf(() => expect(made(hiding)).rejects.toMatchObject({ code: 'stream_codec' }))).toBeLessThan(200);
  });
});

describe('a PNG', () => {
  it('whose texts and profiles are bombs is read without them', async () => {
    const bomb = Buffer.concat([Buffer.from('a\0\0', 'latin1'), deflateSync(Buffer.alloc(256 * 1024 ** 2))]);
    const bytes = png(64, 64, [], [chunk('zTXt', bomb), chunk('iCCP', bomb)]);
    let size = {};
    expect(await peakOf(async () => { size = await made(bytes); })).toBeLessThan(200);
    expect(size).toMatchObject({ width: 64, height: 64 });
  });

  it('that breaks off within a chunk is read so far', () => {
    const whole = png(8, 8);
    expect(plainPng(whole).equals(whole)).toBe(true);
    for (const length of [0, 7, 8, 20, 33, 40, whole.length - 1]) expect(plainPng(whole.subarray(0, length)).length).toBeLessThanOrEqual(length);
  });
});

it('a playlist or a script that calls itself a picture is none', async () => {
  for (const text of ['#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n', 'ffconcat version 1.0\nfile /etc/hostname\n', 'v=0\r\nc=IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n']) {
    await expect(made(Buffer.from(text))).rejects.toMatchObject({ code: 'stream_codec' });
  }
});
