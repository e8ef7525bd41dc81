import { describe, expect, it } from 'vitest';
import { createContinuity } from '../../src/sources/ffmpeg/continuity.ts';

const size = { width: 320, height: 180 };

/** What is said of each picture, by their times. */
const said = (live: boolean, times: readonly number[]): readonly (string | null)[] => {
  const continuity = createContinuity(live);
  return times.map((ptsSeconds) => continuity.decoded({ ptsSeconds, ...size }));
};

describe('the continuity of a stream', () => {
  it('lasts as long as its pictures have one size', () => {
    const continuity = createContinuity(true);
    expect([0, 1, 2].map((ptsSeconds) => continuity.decoded({ ptsSeconds, ...size }))).toEqual([null, null, null]);
    expect(continuity.decoded({ ptsSeconds: 3, width: 480, height: 180 })).toBe('its pictures changed from 320x180 to 480x180');
  });

  it('ends when the clock of a camera goes back, not when it goes forward', () => {
    expect(said(true, [0, 1, 3600, 3601, 3570.8])).toEqual([null, null, null, null, "the camera's clock went back by 30 s"]);
  });

  it('lasts while pictures come out of order by little', () => {
    expect(said(true, [0, 0.4, 0.2, 0.6])).toEqual([null, null, null, null]);
  });

  it('lasts when the time of the first picture was a guess', () => {
    expect(said(true, [0, -9, -8])).toEqual([null, null, null]);
  });

  it('lasts when the times of a file go back', () => {
    expect(said(false, [0, 5, 0, 5])).toEqual([null, null, null, null]);
  });
});
