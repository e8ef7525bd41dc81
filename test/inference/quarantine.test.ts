import { describe, expect, it } from 'vitest';
import { createBlame } from '../../src/inference/blame.ts';
import { createQuarantine } from '../../src/inference/quarantine.ts';

const MINUTE = 60_000;

describe('a camera whose frames end the runner', () => {
  it('tries a camera again of whose frame nothing became', () => {
    const quarantine = createQuarantine();
    for (const now of [0, 1]) quarantine.ended('a', now);
    quarantine.trying('a');
    quarantine.untried('a');
    expect(quarantine.verdict('a', MINUTE)).toBe('alone');
  });

  it('is asked alone after two ends, every 30 s, doubling to an hour', () => {
    const quarantine = createQuarantine();
    quarantine.ended('a', 0);
    expect(quarantine.verdict('a', 0)).toBe('free');
    const pauses: number[] = [];
    let now = 0;
    for (let end = 0; end < 10; end += 1) {
      quarantine.ended('a', now);
      const since = now;
      while (quarantine.verdict('a', now) === 'not now') now += 15_000;
      expect(quarantine.verdict('a', now)).toBe('alone');
      pauses.push((now - since) / MINUTE);
      quarantine.trying('a');
      expect(quarantine.verdict('a', now + 100 * MINUTE)).toBe('not now');
    }
    expect(pauses).toEqual([0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(quarantine.verdict('b', now)).toBe('free');
  });

  it('is like any other once it is answered', () => {
    const quarantine = createQuarantine();
    for (const now of [0, 1]) quarantine.ended('a', now);
    expect([quarantine.empty, quarantine.verdict('a', 2)]).toEqual([false, 'not now']);
    quarantine.answered('a');
    expect([quarantine.empty, quarantine.verdict('a', 2)]).toEqual([true, 'free']);
  });
});

describe('ends are the model\'s fault', () => {
  it('when three cameras in a row brought them', () => {
    const blame = createBlame();
    for (const camera of ['a', 'b', 'c', 'd']) blame.seen(camera, 0);
    expect(['a', 'a', 'b', 'a', 'c', 'a'].map((camera) => blame.ended(camera, 0))).toEqual([false, false, false, false, true, true]);
  });

  it('or all that there are', () => {
    const blame = createBlame();
    blame.seen('gone', 0);
    for (const camera of ['a', 'b']) blame.seen(camera, 6 * MINUTE);
    expect(['a', 'b'].map((camera) => blame.ended(camera, 6 * MINUTE))).toEqual([false, true]);
  });

  it('but not with an answer between', () => {
    const blame = createBlame();
    for (const camera of ['a', 'b', 'c', 'd']) blame.seen(camera, 0);
    expect(['a', 'b'].map((camera) => blame.ended(camera, 0))).toEqual([false, false]);
    blame.answered();
    expect(['c', 'd'].map((camera) => blame.ended(camera, 0))).toEqual([false, false]);
  });
});
