import { describe, expect, it } from 'vitest';
import { createLearner, type Learner } from '../../src/sources/ffmpeg/learner.ts';

interface Camera {
  readonly fps?: number;
  readonly keySeconds: number;
  readonly bFrames?: number;
  /** Where in its group of pictures the capture begins. */
  readonly startSeconds?: number;
}

const START = 5000;

/** Presentation time and key of each packet, in the order in which a camera sends them. */
function* packets({ fps = 25, keySeconds, bFrames = 0, startSeconds = 0 }: Camera): Generator<readonly [number, boolean]> {
  const group = Math.round(fps * keySeconds);
  const first = Math.round(startSeconds * fps);
  for (let picture = first; ; picture += bFrames + 1) {
    yield [picture / fps, picture % group === 0];
    // The B-frames before it are sent after it.
    for (let before = bFrames; before > 0 && picture - before > first; before -= 1) yield [(picture - before) / fps, false];
  }
}

/** The learner after so many seconds of the camera, and what it said first and when. */
function learn(camera: Camera, seconds: number, interval = 3): { readonly learner: Learner; readonly verdict: string | null; readonly afterSeconds: number | null } {
  const learner = createLearner(interval, START);
  let told: { verdict: string; afterSeconds: number } | null = null;
  let begin: number | null = null;
  for (const [pts, key] of packets(camera)) {
    begin ??= pts;
    if (pts - begin > seconds) break;
    const now = START + (pts - begin) * 1000;
    if (key) learner.decoded();
    // The very first is not told.
    if (pts !== begin) learner.packet(pts, key);
    const verdict = learner.verdict(now);
    if (verdict !== null) told ??= { verdict, afterSeconds: pts - begin };
  }
  return { learner, verdict: told?.verdict ?? null, afterSeconds: told?.afterSeconds ?? null };
}

describe('the learner', () => {
  it.each([
    ['nokey', 'key frames every second', { keySeconds: 1 }, 3],
    ['nokey', 'key frames just as often as pictures are due', { keySeconds: 3 }, 3],
    ['nokey', 'pictures that all are key frames', { keySeconds: 0.04 }, 3],
    ['nokey', 'key frames every 8 s and a picture a minute', { keySeconds: 8 }, 60],
    ['nokey', 'key frames that come just too late', { keySeconds: 3.12 }, 3],
    ['none', 'key frames a little too rare for a short interval', { keySeconds: 1 }, 0.8],
    ['none', 'key frames rarer than pictures are due', { keySeconds: 5 }, 3],
    ['none', 'key frames in the middle of rare ones', { keySeconds: 5, startSeconds: 4 }, 3],
    ['nokey', 'key frames just as often as pictures are due, joined in between', { keySeconds: 3, startSeconds: 1 }, 3],
    ['none', 'no key frames at all', { keySeconds: 1e6, startSeconds: 1 }, 3],
    ['none', 'no key frames and a picture a minute', { keySeconds: 1e6, startSeconds: 1 }, 60],
    ['noref', 'a B-frame between two pictures', { keySeconds: 2, bFrames: 1 }, 3],
    ['noref', 'three B-frames', { keySeconds: 1, bFrames: 3 }, 3],
    ['noref', 'B-frames and rare key frames', { keySeconds: 1e6, bFrames: 2, startSeconds: 1 }, 3],
    ['noref', 'B-frames of a slow camera', { keySeconds: 2, bFrames: 2, fps: 5 }, 3],
  ] as const)('says %s to %s', (verdict, _what, camera, interval) => {
    expect(learn(camera, 20, interval).verdict).toBe(verdict);
  });

  it.each([
    ['B-frames', { keySeconds: 2, bFrames: 3 }, 3, 1],
    ['two key frames', { keySeconds: 1 }, 3, 1.5],
    ['rare key frames', { keySeconds: 8 }, 3, 4],
    ['missing key frames', { keySeconds: 1e6, startSeconds: 1 }, 600, 11],
  ] as const)('knows %s in time', (_what, camera, interval, seconds) => {
    expect(learn(camera, 20, interval).afterSeconds).toBeLessThanOrEqual(seconds);
  });

  it('knows that pictures are in order before it knows how rare key frames are', () => {
    const { learner, verdict } = learn({ keySeconds: 2 }, 1.2);
    expect([learner.inOrder(), verdict, learner.keyFrameSpacing()]).toEqual([true, null, null]);
  });

  it('says nothing of a camera that has hardly begun', () => {
    expect(learn({ keySeconds: 0.1 }, 0.4).verdict).toBeNull();
  });

  it('takes no part in the guesses of the first packets', () => {
    const learner = createLearner(3, START);
    for (const pts of [0, 4, 0.04, 0.08]) learner.packet(pts, false);
    for (let picture = 3; picture < 60; picture += 1) learner.packet(picture / 25, picture % 25 === 0);
    expect(learner.verdict(START)).not.toBe('noref');
  });

  it('keeps the longest time between key frames', () => {
    const learner = createLearner(3, START);
    for (const pts of [0, 1, 4, 5]) learner.packet(pts, true);
    expect(learner.keyFrameSpacing()).toBe(3);
  });

  it.each([
    ['none', 13, 'shows nothing though key frames seem to come', { keySeconds: 1 }, false],
    ['nokey', 13, 'shows the key frames that come', { keySeconds: 1 }, true],
    ['none', 17, 'sends a picture every 8 s', { keySeconds: 8, fps: 1 / 8 }, true],
    ['none', 6, 'sends two pictures a second, all key frames', { keySeconds: 0.5, fps: 2 }, true],
    ['nokey', 6, 'sends four pictures a second', { keySeconds: 1, fps: 4 }, true],
  ] as const)('says %s after %i s to a camera that %s', (verdict, seconds, _what, camera, shown) => {
    const learner = createLearner(3, START);
    if (shown) learner.decoded();
    for (const [pts, key] of packets(camera)) {
      if (pts > seconds) break;
      learner.packet(pts, key);
    }
    expect(learner.verdict(START + seconds * 1000)).toBe(verdict);
  });

  it.each([['ahead', 3600], ['back', -3600], ['back', -5]] as const)('goes on learning when the camera sets its clock %s by %i s', (_way, seconds) => {
    const learner = createLearner(3, START);
    learner.decoded();
    for (let picture = 1; picture <= 150; picture += 1) learner.packet(picture / 25 + (picture < 40 ? 0 : seconds), picture % 25 === 0);
    expect([learner.keyFrameSpacing(), learner.verdict(START + 6000)]).toEqual([expect.closeTo(1) as number, 'nokey']);
  });

  it('waits as long as nothing comes', () => {
    expect(createLearner(3, START).verdict(START + 60_000)).toBeNull();
  });

  it('does not take the end of what it is told for a slow camera', () => {
    const { learner } = learn({ keySeconds: 1 }, 19);
    expect(learner.verdict(START + 600_000)).toBe('nokey');
  });

  it('takes a picture that came before any packet was told for the first key frame', () => {
    const learner = createLearner(3, START);
    learner.decoded();
    for (let picture = 1; picture <= 25; picture += 1) learner.packet(picture / 25, picture === 25);
    expect(learner.keyFrameSpacing()).toBeCloseTo(24 / 25);
  });
});
