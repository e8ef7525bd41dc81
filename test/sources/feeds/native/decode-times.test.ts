/** Decode times of pictures that are shown in another order than they come. */
import { expect, it } from 'vitest';
import { createDecodeTimes, reorderingOf } from '../../../../src/sources/feeds/native/decode-times.ts';

const told = (pts: readonly number[], reordering = reorderingOf(pts)): readonly { readonly pts: number; readonly dts: number }[] => {
  const times = createDecodeTimes(reordering, 10);
  return pts.map((time) => times.next(time));
};

it.each([
  ['none', [0, 10, 20, 30], 0, [0, 10, 20, 30]],
  ['two B-frames', [0, 30, 10, 20, 60, 40, 50], 1, [-10, 0, 10, 20, 30, 40, 50]],
  ['a pyramid of them', [0, 40, 20, 10, 30, 80, 60, 50, 70], 2, [-20, -10, 0, 10, 20, 30, 40, 50, 60]],
])('with %s are as regular as the pictures', (_name, pts, reordering, dts) => {
  expect(reorderingOf(pts)).toBe(reordering);
  expect(told(pts)).toEqual(pts.map((time, i) => ({ pts: time, dts: dts[i] })));
});

it('only grow, and are never after the picture is shown, whatever the camera says', () => {
  let seed = 1;
  const random = (): number => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
  const odd = [[0, 0, 0, 0], [100, 50, 20, 0], [0, 1000, 10, 20, 990, 1010], Array.from({ length: 300 }, () => Math.floor(random() * 1000))];
  for (const pts of odd) {
    for (const reordering of [0, 1, 5]) {
      const times = told(pts, reordering);
      for (const [i, { pts: shown, dts }] of times.entries()) {
        expect(shown).toBeGreaterThanOrEqual(dts);
        if (i > 0) expect(dts).toBeGreaterThan(times[i - 1]?.dts ?? NaN);
      }
    }
  }
});
