import { describe, expect, it } from 'vitest';
import type { DecodedPicture } from '../../src/lib/ffmpeg-log.ts';
import { createDamage } from '../../src/sources/ffmpeg/damage.ts';

/** Of 20 x 12 blocks. */
const picture = (ptsSeconds: number, facts: Partial<DecodedPicture> = {}): DecodedPicture => ({ ptsSeconds, width: 320, height: 180, key: false, madeUp: 0, ...facts });
const LOST = 'Error while decoding stream #0:0: Invalid data found when processing input';

describe('damage', () => {
  it('lasts from a picture that was made up to the next key frame', () => {
    const damage = createDamage();
    const pictures = [picture(0, { key: true }), picture(1, { madeUp: 100 }), picture(2), picture(3, { key: true }), picture(4)];
    expect(pictures.map((one) => damage.decoded(one))).toEqual([true, false, false, true, true]);
    expect([0, 1, 2, 3, 4].filter((pts) => damage.isDamaged(pts))).toEqual([1, 2]);
  });

  it.each([LOST, '[hevc @ 0x1] Could not find ref with POC 12', '[h264 @ 0x1] Missing reference picture, default is 65562'])('lasts from "%s" to the next key frame', (words) => {
    const damage = createDamage();
    damage.decoded(picture(0, { key: true }));
    damage.complained(words);
    expect([damage.inARow, damage.decoded(picture(1)), damage.decoded(picture(2, { key: true })), damage.inARow]).toEqual([1, false, true, 0]);
  });

  it('is none where a camera is a little wrong all the time', () => {
    const damage = createDamage();
    expect([0, 1, 2].map((pts) => damage.decoded(picture(pts, { key: true, madeUp: 20 })))).toEqual([true, true, true]);
  });

  it('ends after 12 s where there are no key frames', () => {
    const damage = createDamage();
    damage.decoded(picture(0));
    damage.complained(LOST);
    expect([damage.decoded(picture(11)), damage.decoded(picture(12.1))]).toEqual([false, true]);
  });

  it('is counted until a picture is whole', () => {
    const damage = createDamage();
    for (const pts of [0, 1, 2]) damage.decoded(picture(pts, { key: true, madeUp: 200 }));
    expect(damage.inARow).toBe(3);
  });
});
