/** The last seconds of cameras: whole groups, as old as is wanted, within bounds. */
import { describe, expect, it } from 'vitest';
import type { Piece } from '../../../../src/sources/feeds/host/tape/piece.ts';
import { createRing, createRings, type Ring } from '../../../../src/sources/feeds/host/tape/ring.ts';

const SETS = Buffer.from('sets');
const piece = (ptsSeconds: number, key: boolean, bytes = 1000, parameterSets = SETS): Piece => ({ bytes: Buffer.alloc(bytes), ptsSeconds, era: 0, key, parameterSets });

/** A picture a tenth of a second, a key frame each second. */
function fill(ring: Ring, from: number, to: number, bytes = 1000): void {
  for (let at = from * 10; at < to * 10; at += 1) ring.add(piece(at / 10, at % 10 === 0, bytes));
}
const timesOf = (ring: Ring): readonly number[] => ring.pieces().map(({ ptsSeconds }) => ptsSeconds);
const nobody = (): void => undefined;

describe('a ring', () => {
  it('begins with the last key frame that is as old as is wanted', () => {
    const ring = createRing(nobody);
    ring.keep(3);
    fill(ring, 0, 10);
    expect(timesOf(ring)[0]).toBe(6);
    expect(timesOf(ring)).toHaveLength(40);
    expect(ring.bytes).toBe(40_000);
    ring.add(piece(10, true));
    expect(timesOf(ring)[0]).toBe(7);
    expect(ring.reason).toBeNull();
  });

  it('holds what came since the last key frame where no seconds are wanted, and nothing where nothing is', () => {
    const ring = createRing(nobody);
    fill(ring, 0, 3);
    expect(ring.pieces()).toEqual([]);
    ring.keep(0);
    ring.add(piece(3.5, false));
    expect(ring.pieces()).toEqual([]);
    fill(ring, 4, 6);
    expect(timesOf(ring)).toHaveLength(10);
    ring.keep(null);
    expect(ring.pieces()).toEqual([]);
    expect(ring.bytes).toBe(0);
  });

  it.each<[string, Piece]>([
    ['the clock was set back', piece(3, true)],
    ['the clock was set ahead', piece(300, true)],
    ['other parameter sets come', piece(10, true, 1000, Buffer.from('other'))],
  ])('lets all go when %s: it cannot stand in one file', (_what, next) => {
    const ring = createRing(nobody);
    ring.keep(10);
    fill(ring, 0, 10);
    ring.add(next);
    expect(timesOf(ring)).toEqual([next.ptsSeconds]);
    expect(ring.bytes).toBe(1000);
  });

  it('lets the oldest groups go when it holds more than 12 MB, and says so only where one group is more', () => {
    const ring = createRing(nobody);
    ring.keep(10);
    fill(ring, 0, 10, 500_000);
    expect(ring.bytes).toBeLessThanOrEqual(12 * 1024 * 1024);
    expect(timesOf(ring)[0]).toBe(8);
    ring.add(piece(10, true));
    for (let at = 1; at < 20; at += 1) ring.add(piece(10 + at / 10, false, 1_000_000));
    expect(ring.pieces()).toEqual([]);
    expect(ring.reason).toMatch(/from key frame to key frame takes more than 12 MB/);
    fill(ring, 12, 14);
    expect(timesOf(ring)[0]).toBe(12);
    expect(ring.reason).toBeNull();
  });
});

it('the largest of all rings lets go first', () => {
  const rings = createRings(300_000);
  const [large, small] = [rings.create(), rings.create()];
  for (const ring of [large, small]) ring.keep(60);
  fill(small, 0, 8, 1000);
  fill(large, 0, 20, 1000);
  expect(large.bytes + small.bytes).toBe(280_000);
  fill(large, 20, 30, 1000);
  expect(large.bytes + small.bytes).toBeLessThanOrEqual(300_000);
  expect(small.bytes).toBe(80_000);
  expect(timesOf(large)[0]).toBeGreaterThan(5);
  expect(large.reason).toMatch(/as much as they may/);
  rings.drop(large);
  fill(small, 8, 30, 1000);
  expect(small.bytes).toBe(300_000);
});
