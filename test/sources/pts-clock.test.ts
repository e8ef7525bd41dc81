import { describe, expect, it } from 'vitest';
import { createPtsClock, type PtsClock } from '../../src/sources/ffmpeg/pts-clock.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

/** Tells the clock of a picture taken `seconds` after the start that came `delayMs` later; answers what it says of it. */
function arrive(clock: PtsClock, seconds: number, delayMs: number, rate = 1): number {
  const now = START + seconds * 1000 + delayMs;
  clock.arrived(seconds * rate, now);
  return clock.wallMs(seconds * rate, now) - START - seconds * 1000;
}

describe('the clock that a stream sets', () => {
  it('says when pictures were taken that come at once', () => {
    const clock = createPtsClock();
    expect([0, 1, 2, 3].map((seconds) => arrive(clock, seconds, 0))).toEqual([0, 0, 0, 0]);
  });

  it('is not fooled by one that was delayed once another came in time', () => {
    const clock = createPtsClock();
    arrive(clock, 0, 20);
    expect([1, 2, 3].map((seconds) => arrive(clock, seconds, 20 + seconds * 500))).toEqual([20, 20, 20]);
  });

  it('keeps old pictures old when a burst brings them', () => {
    const clock = createPtsClock();
    for (let seconds = 0; seconds < 10; seconds += 1) arrive(clock, seconds, 30);
    const now = START + 16_030;
    const told = [10, 11, 12, 13, 14, 15, 16].map((seconds) => {
      clock.arrived(seconds, now);
      return clock.wallMs(seconds, now) - START;
    });
    expect(told).toEqual([10_030, 11_030, 12_030, 13_030, 14_030, 15_030, 16_030]);
  });

  it('never says that a picture is from the future', () => {
    const clock = createPtsClock();
    arrive(clock, 0, 0);
    expect(clock.wallMs(5, START + 1000)).toBe(START + 1000);
  });

  it.each([1.0005, 0.9995])('follows a camera whose clock runs %d times as fast', (rate) => {
    const clock = createPtsClock();
    // Two hours; 3.6 s apart at the end.
    const errors = Array.from({ length: 2400 }, (_, index) => arrive(clock, index * 3, index % 7 === 0 ? 20 : 120, rate));
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(200);
  });

  it.each([-3600, 3600])('is set anew when the stream\'s times leap by %i s', (leap) => {
    const clock = createPtsClock();
    for (let seconds = 0; seconds < 10; seconds += 1) arrive(clock, seconds, 10);
    const now = START + 10_010;
    clock.arrived(10 + leap, now);
    expect(clock.wallMs(10 + leap, now)).toBe(now);
    clock.arrived(11 + leap, now + 1000);
    expect(clock.wallMs(11 + leap, now + 1000)).toBe(now + 1000);
  });

  it('forgets the least delay after a minute', () => {
    const clock = createPtsClock();
    arrive(clock, 0, 0);
    for (let seconds = 1; seconds < 70; seconds += 1) arrive(clock, seconds, 300);
    expect(arrive(clock, 70, 300)).toBe(300);
  });
});
