import { describe, expect, it } from 'vitest';
import { createPtsClock, type PtsClock } from '../../src/sources/ffmpeg/pts-clock.ts';

const START = 1_000_000;

/** Tells the clock of a picture taken `seconds` after the start that came `delayMs` later; answers what it says of it. */
function arrive(clock: PtsClock, seconds: number, delayMs: number, rate = 1): number {
  const now = START + seconds * 1000 + delayMs;
  clock.arrived(seconds * rate, now);
  return toldAt(clock, seconds * rate, now) - START - seconds * 1000;
}

/** When the picture with this time was taken, by what the clock says of its age. */
const toldAt = (clock: PtsClock, pts: number, now: number): number => now - clock.ageMs(pts, now);

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
      return toldAt(clock, seconds, now) - START;
    });
    expect(told).toEqual([10_030, 11_030, 12_030, 13_030, 14_030, 15_030, 16_030]);
  });

  it('never says that a picture is from the future', () => {
    const clock = createPtsClock();
    arrive(clock, 0, 0);
    expect(toldAt(clock, 5, START + 1000)).toBe(START + 1000);
  });

  it.each([1.0005, 0.9995])('follows a camera whose clock runs %d times as fast', (rate) => {
    const clock = createPtsClock();
    // Two hours; 3.6 s apart at the end.
    const errors = Array.from({ length: 2400 }, (_, index) => arrive(clock, index * 3, index % 7 === 0 ? 20 : 120, rate));
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(200);
  });

  it.each([-3600, -5, -2.5, 5, 3600])('is set anew when the stream\'s times step by %d s', (step) => {
    const clock = createPtsClock();
    for (let seconds = 0; seconds < 10; seconds += 1) arrive(clock, seconds, 10);
    for (const [seconds, delayMs] of [[10, 10], [11, 30], [12, 10]] as const) {
      const now = START + seconds * 1000 + delayMs;
      clock.arrived(seconds + step, now);
      expect(Math.abs(now - toldAt(clock, seconds + step, now))).toBeLessThan(30);
    }
  });

  it.each([-3600, -20, 20, 3600])('keeps what it knew of pictures that came before a step by %d s', (step) => {
    const clock = createPtsClock();
    for (let seconds = 0; seconds < 10; seconds += 1) arrive(clock, seconds, 10);
    for (const seconds of [10, 11, 12]) {
      clock.arrived(seconds + step, START + seconds * 1000 + 10);
      expect(toldAt(clock, 9, START + seconds * 1000 + 10)).toBe(START + 9010);
    }
  });

  it.each([['at once', 1e15], ['bit by bit', 59]])('never says that a picture is older than can be: its times jump %s', (_how, step) => {
    const clock = createPtsClock();
    for (let seconds = 0; seconds < 3; seconds += 1) arrive(clock, seconds, 10);
    for (let index = 1; index < 100; index += 1) clock.arrived(2 + index * step, START + 2010 + index);
    expect([0, 2, 61, NaN].map((pts) => clock.ageMs(pts, START + 3000)).every((age) => age >= 0 && age < 600_000)).toBe(true);
  });

  it('forgets one time that was far from all others', () => {
    const clock = createPtsClock();
    arrive(clock, 0, 10);
    clock.arrived(3600, START + 500);
    expect([1, 2, 3].map((seconds) => arrive(clock, seconds, 10))).toEqual([10, 10, 10]);
  });

  it.each([3600, 20, -20])('knows what it knew when one time was wrong by %d s', (step) => {
    const clock = createPtsClock();
    for (let seconds = 0; seconds < 10; seconds += 1) arrive(clock, seconds, 10);
    clock.arrived(10 + step, START + 10_010);
    expect(arrive(clock, 11, 600)).toBe(10);
    for (const pts of [8, 9]) expect(toldAt(clock, pts, START + 11_600)).toBe(START + pts * 1000 + 10);
  });

  it('tells another era from when it is set on, and none of what is late or comes at once', () => {
    const clock = createPtsClock();
    const eras = [[0, 9000], [3, 6000], [6, 3000], [9, 10], [10, 20], [11, 5000], [16, 20], [17, 20]].map(([seconds = 0, delayMs = 0]) => {
      arrive(clock, seconds, delayMs);
      return clock.era();
    });
    expect(new Set(eras).size).toBe(1);
    clock.arrived(18 + 20, START + 18_010);
    expect(eras).not.toContain(clock.era());
  });

  it('knows how old pictures are that a long interruption kept back', () => {
    const clock = createPtsClock();
    for (let seconds = 0; seconds < 5; seconds += 1) arrive(clock, seconds, 0);
    const now = START + 25_000;
    const ages = [5, 6, 7].map((seconds) => {
      clock.arrived(seconds, now);
      return clock.ageMs(seconds, now);
    });
    expect(ages).toEqual([20_000, 19_000, 18_000]);
  });

  it('takes B-frames for what they are', () => {
    const clock = createPtsClock();
    // Decoding order at 5 a second, sent as they are made: each B-frame comes after the later picture that it needs.
    const errors = [0, 0.6, 0.2, 0.4, 1.2, 0.8, 1].map((pts, index) => {
      const now = START + 600 + index * 200;
      clock.arrived(pts, now);
      return toldAt(clock, pts, now) - START - pts * 1000;
    });
    expect(Math.max(...errors)).toBeLessThanOrEqual(600);
    expect(new Set(errors.slice(1)).size).toBe(1);
  });

  it('forgets the least delay after a minute', () => {
    const clock = createPtsClock();
    arrive(clock, 0, 0);
    for (let seconds = 1; seconds < 70; seconds += 1) arrive(clock, seconds, 300);
    expect(arrive(clock, 70, 300)).toBe(300);
  });

  it('is not waited for where it runs too fast, so that each picture is less delayed than all before', () => {
    const clock = createPtsClock();
    // Five frames a second that say of themselves that they are 0.3 s apart.
    for (let frame = 0; frame < 60; frame += 1) {
      clock.arrived(frame * 0.3, START + frame * 200);
      expect(clock.settled(START + frame * 200)).toBe(frame >= 50);
    }
  });

  it('has settled once what came at once has been read', () => {
    const clock = createPtsClock();
    expect(clock.settled(START)).toBe(false);
    // Four seconds' worth in half a second, then one picture after the other.
    for (let pts = 0; pts < 4; pts += 0.2) clock.arrived(pts, START + pts * 125);
    expect(clock.settled(START + 500)).toBe(false);
    for (let pts = 4; pts < 6; pts += 0.2) clock.arrived(pts, START + 500 + (pts - 4) * 1000);
    expect([900, 1100].map((ms) => clock.settled(START + ms))).toEqual([false, true]);
  });

  it('settles though the delay varies by little', () => {
    const clock = createPtsClock();
    for (let picture = 0; picture < 10; picture += 1) arrive(clock, picture / 10, 40 - 4 * picture);
    expect(clock.settled(START + 1000)).toBe(true);
  });
});
