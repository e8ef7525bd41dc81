/** The geometry of models/animals: where frames lie in a detector's input, the way back, and suppression. */
import { describe, expect, it } from 'vitest';
import type { Box } from '../../src/types.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}
type Placed = Size & { readonly left: number; readonly top: number };
interface Finding {
  readonly box: Box;
  readonly confidence: number;
}
const { place, toFrame, surest, overlap } = (await import(new URL('../../models/animals/boxes.mjs', import.meta.url).href)) as {
  readonly place: (frame: Size, input: Size, how: 'squash' | 'corner' | 'centre') => Placed;
  readonly toFrame: (box: Box, placed: Placed, frame: Size) => Box;
  readonly surest: <T extends Finding>(findings: readonly T[]) => readonly T[];
  readonly overlap: (a: Box, b: Box) => number;
};

const hd = { width: 1280, height: 720 };
const input = { width: 640, height: 640 };

describe('a frame in a detector\'s input', () => {
  it('fills it when it is squashed', () => {
    expect(place(hd, input, 'squash')).toEqual({ left: 0, top: 0, width: 640, height: 640 });
  });

  it('keeps its proportions in the corner, with the edge below', () => {
    expect(place(hd, input, 'corner')).toEqual({ left: 0, top: 0, width: 640, height: 360 });
  });

  it('keeps its proportions in the centre, with an edge above and below', () => {
    expect(place(hd, input, 'centre')).toEqual({ left: 0, top: 140, width: 640, height: 360 });
  });

  it('fits exactly on its longer side, whatever the proportions', () => {
    for (const frame of [{ width: 1, height: 4000 }, { width: 704, height: 577 }, { width: 416, height: 416 }]) {
      const placed = place(frame, { width: 416, height: 416 }, 'centre');
      expect(Math.max(placed.width, placed.height)).toBe(416);
      expect(Math.min(placed.width, placed.height)).toBeGreaterThanOrEqual(1);
      expect(placed.left + placed.width).toBeLessThanOrEqual(416);
      expect(placed.top + placed.height).toBeLessThanOrEqual(416);
    }
  });

  it.each(['squash', 'corner', 'centre'] as const)('has its corners brought back to those of the frame (%s)', (how) => {
    const placed = place(hd, input, how);
    const { left, top, width, height } = placed;
    expect(toFrame([left, top, left + width, top + height], placed, hd)).toEqual([0, 0, 1280, 720]);
    expect(toFrame([left + width / 4, top + height / 2, left + width, top + height], placed, hd)).toEqual([320, 360, 1280, 720]);
  });

  it('has boxes that reach over its edge cut off there', () => {
    expect(toFrame([-30, 100, 700, 700], place(hd, input, 'centre'), hd)).toEqual([0, 0, 1280, 720]);
  });
});

describe('suppression', () => {
  const dog = { box: [0, 0, 100, 100], confidence: 0.5, name: 'dog' } as const;
  const cat = { box: [5, 0, 105, 100], confidence: 0.6, name: 'cat' } as const;
  const cow = { box: [200, 0, 300, 100], confidence: 0.3, name: 'cow' } as const;

  it('keeps the surest of those in one place and all that stand apart, surest first', () => {
    expect(surest([cow, dog, cat]).map(({ name }) => name)).toEqual(['cat', 'cow']);
  });

  it('measures overlap as intersection over union', () => {
    expect(overlap([0, 0, 10, 10], [0, 0, 10, 10])).toBe(1);
    expect(overlap([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(1 / 3);
    expect(overlap([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0);
    expect(overlap([3, 3, 3, 3], [3, 3, 3, 3])).toBe(0);
  });
});
