import { describe, expect, it } from 'vitest';
import { createPauses } from '../../src/capture/pauses.ts';

const MINUTE = 60_000;
const NEW = { healthy: false, known: false };
const KNOWN = { healthy: false, known: true };

describe('the pauses of a stream', () => {
  it('grow to half a minute while a camera is away, and are short again after pictures', () => {
    const pauses = createPauses();
    const away = Array.from({ length: 12 }, () => pauses.after('stream_connect', NEW));
    expect(away[0]).toBeLessThan(5000);
    expect(away.at(-1)).toBeGreaterThan(15_000);
    expect(Math.max(...away)).toBeLessThanOrEqual(30_000);
    expect(pauses.failures).toBe(12);
    expect(pauses.after('stream_ended', { healthy: true, known: true })).toBeLessThan(5000);
    expect(pauses.failures).toBe(0);
  });

  it('leave a camera alone that refuses a login that it never knew: it would lock the account', () => {
    const pauses = createPauses();
    expect(Array.from({ length: 6 }, () => pauses.after('stream_auth', NEW) / MINUTE)).toEqual([5, 10, 20, 40, 60, 60]);
  });

  it('give one that knew the login a minute to boot, each time that it did', () => {
    const pauses = createPauses();
    const refused = (count: number): readonly number[] => Array.from({ length: count }, () => pauses.after('stream_auth', KNOWN) / MINUTE);
    expect(refused(4)).toEqual([0.5, 0.5, 5, 10]);
    pauses.after('stream_ended', { healthy: true, known: true });
    expect(refused(3)).toEqual([0.5, 0.5, 5]);
  });
});
