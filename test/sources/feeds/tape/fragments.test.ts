/** Fragments as they are told to players, of units however they are put together. */
import { expect, it } from 'vitest';
import { createFragments } from '../../../../src/sources/feeds/host/tape/fragments.ts';

const [SHORT, LONG] = [[0, 0, 1], [0, 0, 0, 1]];
const unit = (...bytes: readonly (readonly number[])[]): Buffer => Buffer.from(bytes.flat());

function dataOf(bytes: Buffer): Buffer | undefined {
  const fragments = createFragments({ reordering: 0, spacing: 3600 });
  expect(fragments.write(bytes, 0, true)).toBeNull();
  return fragments.write(bytes, 3600, false)?.bytes.subarray(112);
}

it.each([
  ['one part', unit(LONG, [0x65, 1, 2]), unit([0, 0, 0, 3], [0x65, 1, 2])],
  ['parts behind start codes of either length', unit(SHORT, [9, 8], LONG, [7, 6, 5], SHORT, [4]), unit([0, 0, 0, 2], [9, 8], [0, 0, 0, 3], [7, 6, 5], [0, 0, 0, 1], [4])],
  ['padding between parts', unit(LONG, [9, 8, 0, 0, 0], LONG, [7]), unit([0, 0, 0, 2], [9, 8], [0, 0, 0, 1], [7])],
  ['nothing', Buffer.alloc(0), Buffer.alloc(0)],
  ['no start code', Buffer.from([1, 2, 3]), Buffer.alloc(0)],
])('each part of a unit stands behind its length: %s', (_what, bytes, expected) => {
  expect(dataOf(bytes)).toEqual(expected);
});

it('a unit of nothing but start codes is not taken apart to its end', () => {
  const began = performance.now();
  expect(dataOf(Buffer.alloc(2 ** 22, unit(SHORT, [7])))?.length).toBeGreaterThanOrEqual(2 ** 22);
  expect(performance.now() - began).toBeLessThan(1000);
});

it('each lasts until the next is decoded, and says when it is shown', () => {
  const fragments = createFragments({ reordering: 1, spacing: 3600 });
  // I, P, B: the last is shown before the one before it.
  const made = [0, 7200, 3600, 14_400].map((pts, at) => fragments.write(unit(LONG, [at]), 90_000 + pts, at === 0));
  expect(made[0]).toBeNull();
  const told = made.slice(1).map((fragment) => {
    const bytes = fragment?.bytes ?? Buffer.alloc(0);
    return { sequence: bytes.readUInt32BE(20), decoded: Number(bytes.readBigUInt64BE(60)), lasts: bytes.readUInt32BE(88), later: bytes.readUInt32BE(100), key: fragment?.key, sync: bytes.readUInt32BE(96) };
  });
  expect(told).toEqual([
    { sequence: 1, decoded: 0, lasts: 3600, later: 3600, key: true, sync: 0x02000000 },
    { sequence: 2, decoded: 3600, lasts: 3600, later: 7200, key: false, sync: 0x01010000 },
    { sequence: 3, decoded: 7200, lasts: 3600, later: 0, key: false, sync: 0x01010000 },
  ]);
});
