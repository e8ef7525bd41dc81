import { describe, expect, it } from 'vitest';
import { createHours } from '../../src/lib/schedule.ts';

const at = (time: string): number => Date.parse(time);

describe('hours of work', () => {
  it.each([
    ['* 8-17 * * 1-5', '2026-07-01T08:00:00Z', true], // a Wednesday
    ['* 8-17 * * 1-5', '2026-07-01T17:59:59.999Z', true],
    ['* 8-17 * * 1-5', '2026-07-01T18:00:00Z', false],
    ['* 8-17 * * 1-5', '2026-07-04T12:00:00Z', false],
    ['*/15 * * * *', '2026-07-01T12:30:42Z', true],
    ['*/15 * * * *', '2026-07-01T12:31:00Z', false],
    ['* * * * *', '2026-07-01T12:31:59Z', true],
  ])('%s at %s: %s', (expression, time, works) => {
    expect(createHours('UTC')(expression, at(time))).toBe(works);
  });

  it('are those of the zone', () => {
    const morning = at('2026-07-01T03:00:00Z'); // 08:30 in Kolkata
    expect(createHours('Asia/Kolkata')('* 8 * * *', morning)).toBe(true);
    expect(createHours('UTC')('* 8 * * *', morning)).toBe(false);
  });

  it('refuse what is no cron expression', () => {
    expect(() => createHours('UTC')('after lunch', at('2026-07-01T12:00:00Z'))).toThrow();
  });
});
