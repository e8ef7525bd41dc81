/** What sequence parameter sets say of the size of pictures. */
import { expect, it } from 'vitest';
import { sizesOf } from '../../../../src/sources/feeds/native/sizes.ts';
import { makeClip } from './clips.ts';

it.each([
  ['h264', '320x176', ['-profile:v', 'baseline', '-pix_fmt', 'yuv420p'], [320, 176]],
  ['h264', '330x182', ['-profile:v', 'high', '-pix_fmt', 'yuv420p', '-x264-params', 'cqm=jvt'], [336, 192]],
  ['h264', '320x176', ['-flags', '+ildct+ilme', '-pix_fmt', 'yuv422p10le'], [320, 192]],
  ['h264', '640x360', ['-pix_fmt', 'yuv444p', '-bf', '0'], [640, 368]],
  ['h265', '330x182', ['-pix_fmt', 'yuv420p', '-x265-params', 'log-level=none:pools=none'], [336, 184]],
  ['h265', '320x184', ['-pix_fmt', 'yuv444p10le', '-x265-params', 'log-level=none:pools=none:temporal-layers=3'], [320, 184]],
  ['jpeg', '330x182', ['-pix_fmt', 'yuvj420p'], [330, 182]],
] as const)('those of %s of %s pixels (%s)', async (codec, size, encoder, [width, height]) => {
  const { bytes } = await makeClip(codec, `color=s=${size}`, 1, encoder);
  const [shownWidth, shownHeight] = size.split('x').map(Number);
  expect(sizesOf(codec, bytes)).toMatchObject({ coded: { width, height }, shown: { width: shownWidth, height: shownHeight } });
});

it('are none, or of no use, in what is none', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(100), Buffer.from([0, 0, 1])]) expect(sizesOf('h264', bytes)).toBeNull();
  for (const [codec, header] of [['h264', [0x67]], ['h265', [0x42, 0x01]]] as const) {
    for (const fill of [0, 0xff, 0x55, 0x04]) {
      expect(sizesOf(codec, Buffer.concat([Buffer.from([0, 0, 1, ...header]), Buffer.alloc(400, fill)]))?.coded).toEqual({ width: expect.any(Number) as number, height: expect.any(Number) as number });
    }
  }
});
