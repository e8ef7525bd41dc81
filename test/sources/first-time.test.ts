import { expect, it } from 'vitest';
import { createFirstTime } from '../../src/sources/ffmpeg/first-time.ts';

const picture = (ptsSeconds: number): { ptsSeconds: number; width: number; height: number } => ({ ptsSeconds, width: 64, height: 32 });

it.each([
  ['before the packets after it', 0, [-2.9, -2.8, -2.7], -3],
  ['that is right', 0, [0.04, 0.08], 0],
  ['before the packets after it, of which one has the same time', 0, [-0.2, -0.1, 0, 0.1], -0.3],
  ['with B-frames after it', 0, [7.08, 7.04, 7.16, 7.12], 7],
])('a guess is put %s', (_name, guess, packets, expected) => {
  const firstTime = createFirstTime();
  firstTime.decoded(picture(guess));
  for (const pts of packets) firstTime.packet(pts, false);
  expect(firstTime.of(picture(guess))).toBeCloseTo(expected);
});

it('the time of a picture whose packet was told is none, nor is that of a later picture', () => {
  const firstTime = createFirstTime();
  for (const pts of [5, 5.04, 5.08, 5.12]) firstTime.packet(pts, false);
  firstTime.decoded(picture(5.08));
  expect(firstTime.of(picture(5.08))).toBe(5.08);
  expect(firstTime.of(picture(60))).toBe(60);
});

it('the time of a key frame is its own unless two pictures have it', () => {
  const firstTime = createFirstTime();
  for (const pts of [-0.1, 0, 0.1]) firstTime.packet(pts, pts === 0);
  firstTime.decoded(picture(0));
  expect(firstTime.of(picture(0))).toBe(0);
  firstTime.decoded(picture(0));
  expect(firstTime.of(picture(0))).toBeCloseTo(-0.2);
});

it('nobody knows without packets', () => {
  const firstTime = createFirstTime();
  firstTime.decoded(picture(0));
  expect(firstTime.of(picture(0))).toBeNull();
});
