/** Video on its way from a host, in chunks that begin and end anywhere. */
import { expect, it } from 'vitest';
import { createUnpacker, packed, type VideoPart } from '../../../src/sources/feeds/video-pipe.ts';

const PARTS: readonly (readonly [number, VideoPart])[] = [
  [1, { is: 'head', bytes: Buffer.from('head of one') }],
  [4_000_000_000, { is: 'key', bytes: Buffer.alloc(200_000, 7) }],
  [1, { is: 'picture', bytes: Buffer.alloc(0) }],
  [2, { is: 'end', why: { code: 'stream_ended', message: 'the camera’s clock was set' } }],
  [1, { is: 'picture', bytes: Buffer.from('x') }],
];

it.each([1, 2, 8, 9, 10, 64 * 1024, Infinity])('comes as it was sent in chunks of %d bytes', (size) => {
  const all = Buffer.concat(PARTS.flatMap(([watch, part]) => packed(watch, part)));
  const heard: (readonly [number, VideoPart])[] = [];
  const unpack = createUnpacker((watch, part) => { heard.push([watch, part]); });
  for (let at = 0; at < all.length; at += size) unpack(all.subarray(at, Math.min(all.length, at + size)));
  expect(inWords(heard)).toEqual(inWords(PARTS));
});

/** Two strings are compared at once, two buffers byte by byte. */
function inWords(parts: typeof PARTS): readonly unknown[] {
  return parts.map(([watch, part]) => [watch, 'bytes' in part ? { ...part, bytes: part.bytes.toString('latin1') } : part]);
}
