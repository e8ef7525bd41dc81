import { describe, expect, it } from 'vitest';
import { createContinuity } from '../../src/sources/ffmpeg/continuity.ts';

const size = { width: 320, height: 180 };

describe('the continuity of a stream', () => {
  it('lasts as long as its pictures have one size', () => {
    const continuity = createContinuity();
    expect([0, 1, 2].map((ptsSeconds) => continuity.decoded({ ptsSeconds, ...size }))).toEqual([null, null, null]);
    expect(continuity.decoded({ ptsSeconds: 3, width: 480, height: 180 })).toBe('its pictures changed from 320x180 to 480x180');
  });
});
