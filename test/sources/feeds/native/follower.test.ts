/** Streams decoded picture by picture: each is shown once, in its order, with its own time. */
import { describe, expect, it } from 'vitest';
import { measure } from '../../../../src/lib/jpeg.ts';
import { openFollower, type Follower, type Shown } from '../../../../src/sources/feeds/native/follower.ts';
import { clipOf, difference, hasLibav, makeClip, pixelsOf, type Clip } from './clips.ts';

const SETTINGS = { quality: 95, maxWidth: null };
const PICTURE = 'testsrc2=s=160x96:r=25';
const silent = (): void => undefined;

/** Pictures come out of the decoder after so many later ones at the most. */
const REORDERED = 8;

/** What came of a clip's units, which begin anew at its end, by each unit's number in the order of arrival. */
async function follow(follower: Follower, { units }: Clip): Promise<readonly Shown[]> {
  const shown: Shown[] = [];
  for (const [i, { bytes }] of [...units, ...units.slice(0, REORDERED)].entries()) shown.push(...await follower.push(bytes, i));
  await follower.close();
  for (const picture of shown) if (picture.pts >= units.length) picture.free();
  return shown.filter(({ pts }) => pts < units.length);
}

function freed(shown: readonly Shown[]): readonly Shown[] {
  for (const picture of shown) picture.free();
  return shown;
}

describe.skipIf(!hasLibav)('a follower (missed where the binary of node-av is absent)', () => {
  it.each([
    ['h264', ['-bf', '3', '-g', '12']],
    ['h264', ['-x264-params', 'intra-refresh=1:keyint=12', '-bf', '0']],
    ['h265', ['-x265-params', 'log-level=none:pools=none:frame-threads=1:keyint=12:bframes=3']],
  ] as const)('shows each picture of %s once, as ffmpeg does, in order (%s)', async (codec, encoder) => {
    const clip = await makeClip(codec, PICTURE, 40, ['-pix_fmt', 'yuv420p', ...encoder]);
    const follower = await openFollower(codec, clip.parameterSets, 'none', silent);
    const shown = await follow(follower, clip);
    expect(shown.map(({ pts }) => pts).sort((a, b) => a - b)).toEqual(clip.units.map((_, i) => i));
    expect(shown.filter(({ isDamaged }) => isDamaged)).toEqual([]);
    // After its end too: they are owned by who was given them.
    const stills = await Promise.all(shown.map(async (picture) => {
      const still = picture.still(SETTINGS);
      picture.free();
      return await still;
    }));
    expect(difference(await pixelsOf({ codec: 'jpeg', bytes: Buffer.concat(stills.map(({ jpeg }) => jpeg)) }), await pixelsOf(clip))).toBeLessThan(2);
  });

  it('leaves out those that no other needs, where it is told', async () => {
    const clip = await makeClip('h264', PICTURE, 30, ['-bf', '2', '-g', '30', '-x264-params', 'b-pyramid=none']);
    const needed = clip.units.flatMap(({ reference }, i) => (reference ? [i] : []));
    expect(needed.length).toBeLessThan(20);
    expect(freed(await follow(await openFollower('h264', Buffer.alloc(0), 'noref', silent), clip)).map(({ pts }) => pts)).toEqual(needed);
  });

  it.each([
    ['h264', ['-bf', '0', '-g', '10']],
    ['h265', ['-x265-params', 'log-level=none:pools=none:frame-threads=1:keyint=10:min-keyint=10:bframes=0:scenecut=0']],
  ] as const)('never calls those of %s whole that were made from a damaged one, until a key frame', async (codec, encoder) => {
    const clip = await makeClip(codec, PICTURE, 30, encoder);
    const units = clip.units.map((unit, i) => (i === 13 ? { ...unit, bytes: Buffer.from(unit.bytes).fill(0xff, 8) } : unit));
    const shown = freed(await follow(await openFollower(codec, clip.parameterSets, 'none', silent), { ...clip, units }));
    expect(shown.filter(({ isDamaged }) => !isDamaged).map(({ pts }) => pts)).toEqual(units.flatMap((_, i) => (i < 13 || i >= 20 ? [i] : [])));
  });

  it('goes on with another size and other parameter sets', async () => {
    const [small, large] = [await makeClip('h264', PICTURE, 5, ['-bf', '0']), await makeClip('h264', 'testsrc2=s=320x240', 5, ['-bf', '0'])];
    const clip = clipOf('h264', Buffer.concat([small.bytes, large.bytes]));
    const follower = await openFollower('h264', small.parameterSets, 'none', silent);
    const sizes: number[] = [];
    for (const [i, { bytes }] of clip.units.entries()) {
      for (const picture of await follower.push(bytes, i)) {
        sizes.push((await picture.still(SETTINGS)).width);
        expect(measure((await picture.still({ quality: 95, maxWidth: 100 })).jpeg)?.width).toBe(100);
        picture.free();
      }
    }
    await follower.close();
    expect(sizes).toEqual([160, 160, 160, 160, 160, 320, 320, 320, 320, 320]);
  });

  it('takes units before it has answered for those before, and one that was closed takes none', async () => {
    const clip = await makeClip('h264', PICTURE, 12, ['-bf', '0']);
    const follower = await openFollower('h264', clip.parameterSets, 'none', silent);
    const answers = clip.units.map(({ bytes }, i) => follower.push(bytes, i));
    const end = follower.close();
    await follower.close();
    const shown = (await Promise.all(answers)).flat();
    expect(shown.map(({ pts }) => pts)).toEqual(clip.units.map((_, i) => i));
    for (const picture of shown) picture.free();
    await end;
    await expect(follower.push(Buffer.from('late'), 99)).rejects.toThrow('after its end');
    await expect(shown[0]?.still(SETTINGS)).rejects.toThrow('was freed');
  });
});
