import { describe, expect, it } from 'vitest';
import { createRefusals, pauseMsAfter } from '../../src/capture/pauses.ts';
import { createManualClock } from '../helpers/manual-clock.ts';

const MINUTE = 60_000;

describe('the pauses of a stream', () => {
  it('grow to half a minute while a camera is away', () => {
    const away = Array.from({ length: 12 }, (_, failures) => pauseMsAfter(failures));
    expect(away[0]).toBeLessThan(5000);
    expect(away.at(-1)).toBeGreaterThan(15_000);
    expect(Math.max(...away)).toBeLessThanOrEqual(30_000);
  });

  it('leave a camera alone that refuses a login that it never knew: it would lock the account', () => {
    const clock = createManualClock(0);
    const refusals = createRefusals(clock);
    expect(refusals.leftMs).toBe(0);
    expect(Array.from({ length: 6 }, () => refusals.add(false) / MINUTE)).toEqual([5, 10, 20, 40, 60, 60]);
    clock.pass(59 * 60);
    expect(refusals.leftMs).toBe(MINUTE);
  });

  it('give one that knew the login a minute to boot, each time that it did', () => {
    const refusals = createRefusals(createManualClock(0));
    const refused = (count: number): readonly number[] => Array.from({ length: count }, () => refusals.add(true) / MINUTE);
    expect(refused(4)).toEqual([0.5, 0.5, 5, 10]);
    refusals.clear();
    expect(refused(3)).toEqual([0.5, 0.5, 5]);
  });
});
