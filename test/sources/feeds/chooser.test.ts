import { describe, expect, it } from 'vitest';
import { createChooser, type Chooser } from '../../../src/sources/feeds/host/chooser.ts';

/** Pictures ten times a second from a time on, key frames at these seconds. */
function show(chooser: Chooser, fromSeconds: number, toSeconds: number, isKey: (second: number) => boolean, shiftSeconds = 0): void {
  for (let tenth = fromSeconds * 10; tenth < toSeconds * 10; tenth += 1) {
    chooser.unit(tenth / 10 + shiftSeconds, tenth % 10 === 0 && isKey(tenth / 10), tenth * 100);
  }
}

const every = (seconds: number) => (second: number): boolean => second % seconds === 0;

describe('which pictures are decoded', () => {
  it('is not known before two key frames came', () => {
    const chooser = createChooser(3);
    show(chooser, 0, 2, every(2));
    expect(chooser.verdict()).toBeNull();
    show(chooser, 2, 3, every(2));
    expect({ verdict: chooser.verdict(), spacing: chooser.keyFrameSpacing() }).toEqual({ verdict: 'keyframes', spacing: 2 });
  });

  it.each([
    ['rarer than pictures are due', 3, 5],
    ['a minute apart where a picture a minute would do', 60, 60],
  ])('are all where key frames are %s', (_what, interval, spacing) => {
    const chooser = createChooser(interval);
    show(chooser, 0, 30, every(spacing));
    expect(chooser.verdict()).toBe('all');
  });

  it('are all soon where no key frame comes', () => {
    const chooser = createChooser(3);
    show(chooser, 1, 5, () => false);
    expect(chooser.verdict()).toBe('all');
  });

  it('are all where three in a row that look like key frames are no pictures', () => {
    const chooser = createChooser(3);
    show(chooser, 0, 5, every(1));
    for (const isPicture of [false, false, true, false, false]) chooser.yielded(isPicture);
    show(chooser, 5, 6, every(1));
    expect(chooser.verdict()).toBe('keyframes');
    chooser.yielded(false);
    show(chooser, 6, 7, every(1));
    expect(chooser.verdict()).toBe('all');
  });

  it('are key frames where a clock that is set makes them look rare', () => {
    const chooser = createChooser(3);
    show(chooser, 0, 5, every(1));
    show(chooser, 5, 10, every(1), 3600);
    show(chooser, 10, 15, every(1), -86_400);
    expect(chooser.verdict()).toBe('keyframes');
  });

  it('are key frames again once they have come often for long, and for longer each time', () => {
    const chooser = createChooser(3, 20_000);
    show(chooser, 0, 10, every(5));
    show(chooser, 10, 29, every(1));
    expect(chooser.verdict()).toBe('all');
    show(chooser, 29, 35, every(1));
    expect(chooser.verdict()).toBe('keyframes');
    show(chooser, 35, 45, every(5));
    show(chooser, 45, 75, every(1));
    expect(chooser.verdict()).toBe('all');
    show(chooser, 75, 90, every(1));
    expect(chooser.verdict()).toBe('keyframes');
  });
});
