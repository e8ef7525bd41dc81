/** What libav makes of key frames, against what ffmpeg makes of the same ones. */
import { describe, expect, it } from 'vitest';
import { LookoutError } from '../../../../src/errors.ts';
import { measure } from '../../../../src/lib/jpeg.ts';
import { jpegEncoder } from '../../../../src/lib/jpeg-encoder.ts';
import type { Codec } from '../../../../src/sources/feeds/native/decoder.ts';
import { selfTest } from '../../../../src/sources/feeds/native/self-test.ts';
import { decodeStill } from '../../../../src/sources/feeds/native/still.ts';
import { difference, ffmpeg, hasLibav, makeClip, pixelsOf, type Clip } from './clips.ts';

const SETTINGS = { quality: 95, maxWidth: null };
const PICTURE = 'testsrc2=s=320x176:r=25,noise=alls=5:all_seed=1';
/** What a JPEG of this quality loses, and the two versions of libav round differently. */
const ALIKE = 2;

const X265 = (more: string): string[] => ['-x265-params', `log-level=none:pools=none:frame-threads=1:${more}`];
const KINDS: Readonly<Record<string, readonly [codec: Codec, picture: string, encoder: readonly string[]]>> = {
  'H.264 with B-frames': ['h264', PICTURE, ['-bf', '3', '-g', '8']],
  'H.264 with open groups': ['h264', PICTURE, ['-bf', '3', '-x264-params', 'open-gop=1:keyint=8:min-keyint=8']],
  'H.264, interlaced': ['h264', PICTURE, ['-flags', '+ildct+ilme', '-g', '8', '-bf', '2']],
  'H.264 in slices': ['h264', PICTURE, ['-x264-params', 'slices=5:keyint=8']],
  'H.264 in the full range': ['h264', `${PICTURE},scale=out_range=pc,format=yuvj420p`, ['-g', '8']],
  'H.264 of ten bits': ['h264', `${PICTURE},format=yuv420p10le`, ['-g', '8']],
  'H.264 in 4:2:2': ['h264', `${PICTURE},format=yuv422p`, ['-g', '8']],
  'H.264 in 4:4:4, of an odd size': ['h264', 'mandelbrot=s=319x177:start_scale=0.02,format=yuv444p', ['-g', '8']],
  'H.264 in RGB': ['h264', `${PICTURE},format=gbrp`, ['-c:v', 'libx264rgb', '-g', '8']],
  'H.264 in grey': ['h264', `${PICTURE},format=gray`, ['-g', '8']],
  'H.264 that says much of its colours': ['h264', PICTURE, ['-g', '8', '-pix_fmt', 'yuv420p', '-colorspace', 'bt2020nc', '-color_primaries', 'bt2020', '-color_trc', 'smpte2084']],
  'H.265 with B-frames': ['h265', PICTURE, ['-pix_fmt', 'yuv420p', ...X265('keyint=8:bframes=3')]],
  'H.265 with open groups': ['h265', PICTURE, ['-pix_fmt', 'yuv420p', ...X265('keyint=8:min-keyint=8:open-gop=1:bframes=3')]],
  'H.265 of ten bits in 4:2:2': ['h265', `${PICTURE},format=yuv422p10le`, X265('keyint=8')],
};

const frameOf = ({ parameterSets }: Clip, unit: { readonly bytes: Buffer } | undefined): Buffer => Buffer.concat([parameterSets, unit?.bytes ?? Buffer.alloc(0)]);
const silent = (): void => undefined;

/** Width by height, as the head of a JFIF file has it. */
const pixelShape = (jpeg: Buffer): number => (jpeg.toString('latin1', 6, 10) === 'JFIF' ? jpeg.readUInt16BE(14) / jpeg.readUInt16BE(16) : NaN);

/** A sequence parameter set of 1023 blocks each way: baseline, level 6.2. */
const LARGE_SET = Buffer.concat([
  Buffer.from([0, 0, 0, 1, 0x67]),
  Buffer.from(['01000010', '00000000', '00111110', '1', '1', '011', '010', '0', '0000000001111111111', '0000000001111111111', '1', '1', '0', '0', '1']
    .join('').padEnd(80, '0').match(/.{8}/g)?.map((bits) => Number.parseInt(bits, 2)) ?? []),
]);

describe.skipIf(!hasLibav)('a still (missed where the binary of node-av is absent)', () => {
  it('passes its own test', async () => {
    await selfTest();
  });

  it.each(Object.entries(KINDS))('of %s is the picture that ffmpeg decodes', async (_kind, [codec, picture, encoder]) => {
    const clip = await makeClip(codec, picture, 10, encoder);
    const keys = clip.units.filter(({ key, recovers }) => key || recovers);
    const wanted = await pixelsOf(clip, '-skip_frame', 'nokey');
    expect(keys.length).toBeGreaterThan(1);
    const stills: Buffer[] = [];
    for (const key of keys) {
      const still = await decodeStill(codec, frameOf(clip, key), SETTINGS, silent);
      expect(still && measure(still.jpeg)).toMatchObject({ width: still?.width, height: still?.height });
      stills.push(still?.jpeg ?? Buffer.alloc(0));
    }
    expect(difference(await pixelsOf({ codec: 'jpeg', bytes: Buffer.concat(stills) }), wanted)).toBeLessThan(ALIKE);
  });

  it.each([null, 100, 319])('no wider than %s is as the ffmpeg engine makes it: shape, colours, about the bytes', async (maxWidth) => {
    const clip = await makeClip('h264', 'mandelbrot=s=320x181:start_scale=0.02,setsar=12/11,format=yuv444p', 1, []);
    for (const [quality, alike] of [[50, 6], [95, 2]] as const) {
      const still = await decodeStill('h264', frameOf(clip, clip.units[0]), { quality, maxWidth }, silent);
      if (!still) throw new Error('no picture');
      const narrow = maxWidth === null ? [] : ['-vf', `scale=w='min(iw,${maxWidth})':h=-2`];
      const wanted = await ffmpeg(['-f', 'h264', '-i', '-', ...narrow, ...jpegEncoder(quality), '-f', 'mjpeg', '-'], clip.bytes);
      expect(measure(still.jpeg)).toEqual(measure(wanted));
      expect(measure(still.jpeg)).toMatchObject({ width: still.width, height: still.height });
      expect(pixelShape(still.jpeg)).toBeCloseTo(pixelShape(wanted), 3);
      const both = await pixelsOf({ codec: 'jpeg', bytes: Buffer.concat([still.jpeg, wanted]) });
      expect(difference(both.subarray(0, both.length / 2), both.subarray(both.length / 2)), `at ${quality}`).toBeLessThan(alike);
      expect(still.jpeg.length / wanted.length, `at ${quality}`).toBeGreaterThan(0.7);
      expect(still.jpeg.length / wanted.length, `at ${quality}`).toBeLessThan(1.4);
    }
  });

  it('of a better quality never has fewer bytes', async () => {
    const clip = await makeClip('h264', PICTURE, 1, []);
    let bytes = 0;
    for (const quality of [1, 2, 5, 10, 30, 49, 50, 70, 90, 95, 100]) {
      const length = (await decodeStill('h264', frameOf(clip, clip.units[0]), { quality, maxWidth: null }, silent))?.jpeg.length ?? 0;
      expect(length, String(quality)).toBeGreaterThanOrEqual(bytes);
      bytes = length;
    }
  });

  it('of a JPEG is made narrower', async () => {
    const [unit] = [await makeClip('jpeg', 'testsrc2=s=320x240', 1, ['-pix_fmt', 'yuvj422p'])];
    expect(await decodeStill('jpeg', unit.bytes, { quality: 95, maxWidth: 160 }, silent)).toMatchObject({ width: 160, height: 120 });
    expect(await decodeStill('jpeg', unit.bytes.subarray(0, unit.bytes.length / 2), SETTINGS, silent)).toBeNull();
  });

  it('comes of no picture that becomes whole only bit by bit', async () => {
    const clip = await makeClip('h264', PICTURE, 60, ['-x264-params', 'intra-refresh=1:keyint=15', '-bf', '0']);
    const flagged = clip.units.filter(({ recovers, key }) => recovers && !key);
    expect(flagged.length).toBeGreaterThan(1);
    for (const unit of flagged) expect(await decodeStill('h264', frameOf(clip, unit), SETTINGS, silent)).toBeNull();
  });

  it('comes of no picture that needs another', async () => {
    const clip = await makeClip('h264', PICTURE, 5, ['-bf', '0']);
    for (const unit of clip.units.slice(1)) expect(await decodeStill('h264', frameOf(clip, unit), SETTINGS, silent)).toBeNull();
  });

  it('comes of no H.264 slice that broke off or lost a packet', async () => {
    const clip = await makeClip('h264', PICTURE, 1, ['-x264-params', 'slices=3']);
    const frame = frameOf(clip, clip.units[0]);
    for (const left of [1, 2, 3].map((quarters) => Math.floor(frame.length * quarters / 4))) {
      expect(await decodeStill('h264', frame.subarray(0, left), SETTINGS, silent)).toBeNull();
      expect(await decodeStill('h264', Buffer.concat([frame.subarray(0, left), frame.subarray(left + 1400)]), SETTINGS, silent)).toBeNull();
    }
  });

  it('says of a picture that is too large how large it is', async () => {
    const clip = await makeClip('h264', PICTURE, 1, ['-profile:v', 'baseline', '-pix_fmt', 'yuv420p']);
    const afterSet = clip.bytes.subarray(clip.bytes.indexOf(Buffer.from([0, 0, 0, 1, 0x68])));
    await expect(decodeStill('h264', Buffer.concat([LARGE_SET, afterSet]), SETTINGS, silent)).rejects.toThrow(/16368 x 16368 pixels, more than 64 megapixels/);
    const jpeg = Buffer.from((await makeClip('jpeg', 'testsrc2=s=320x240', 1, ['-pix_fmt', 'yuvj420p'])).bytes);
    const head = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(16_384, head + 5);
    jpeg.writeUInt16BE(16_384, head + 7);
    const error = await decodeStill('jpeg', jpeg, SETTINGS, silent).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LookoutError);
    expect(error).toMatchObject({ code: 'stream_codec' });
  });

  it.each(['h264', 'h265', 'jpeg'] as const)('comes of nothing that is not %s', async (codec) => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(5000), Buffer.from('hello'), Buffer.from(Array.from({ length: 5000 }, (_, i) => i * i % 251))]) {
      expect(await decodeStill(codec, bytes, SETTINGS, silent)).toBeNull();
    }
  });

  it('never mixes cameras of one size that differ in their parameter sets', async () => {
    const cameras = await Promise.all([
      makeClip('h264', PICTURE, 1, ['-x264-params', 'chroma-qp-offset=-10:cabac=1']),
      makeClip('h264', `${PICTURE},negate`, 1, ['-x264-params', 'chroma-qp-offset=10:cabac=0']),
      makeClip('h264', `${PICTURE},hflip`, 1, ['-x264-params', 'chroma-qp-offset=0:8x8dct=0']),
    ]);
    const alone = await Promise.all(cameras.map(async (clip) => await decodeStill('h264', frameOf(clip, clip.units[0]), SETTINGS, silent)));
    for (const [i, clip] of cameras.entries()) {
      const pixels = await pixelsOf({ codec: 'jpeg', bytes: alone[i]?.jpeg ?? Buffer.alloc(0) });
      expect(difference(pixels, await pixelsOf(clip))).toBeLessThan(ALIKE);
    }
    await Promise.all(Array.from({ length: 30 }, async (_, n) => {
      const [clip, wanted] = [cameras[n % 3], alone[n % 3]];
      const still = clip && await decodeStill('h264', frameOf(clip, clip.units[0]), SETTINGS, silent);
      expect(wanted && still?.jpeg.equals(wanted.jpeg)).toBe(true);
    }));
  });
});
