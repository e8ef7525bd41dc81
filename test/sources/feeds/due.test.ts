import { expect, it } from 'vitest';
import { createDue } from '../../../src/sources/feeds/host/due.ts';

/** Those of the times at which a picture is taken. */
function taken(intervalSeconds: number, times: readonly number[]): readonly number[] {
  const due = createDue(intervalSeconds);
  return times.filter((time) => {
    const isDue = due.has(time);
    if (isDue) due.take(time);
    return isDue;
  });
}

it.each([
  ['the first of all', 3, [7.9], [7.9]],
  ['the first at or after each tick', 3, [0, 2, 4, 6, 8, 10], [0, 4, 6, 10]],
  ['after a stall only one', 1, [0.5, 9.2, 9.4, 10], [0.5, 9.2, 10]],
  ['no more often than ticks come where pictures do', 2, [0, 0.04, 1.96, 2, 2.04], [0, 2]],
  ['at once where the clock was set back, and from there on', 3, [100, 20, 21, 24], [100, 20, 21, 24]],
  ['not what is only out of order', 3, [10, 9.9, 12], [10, 12]],
] as const)('takes %s', (_what, interval, times, expected) => {
  expect(taken(interval, times)).toEqual(expected);
});

it.each([
  ['each that was not taken', 3, [0], [1, 10], 3],
  ['not those that were', 3, [0, 3.1, 6.2], [1, 10], 1],
  ['that which the time begins in, where nothing was taken', 3, [], [4, 10], 3],
  ['none within one tick', 3, [9.1], [9.2, 11], 0],
] as const)('counts the ticks of a time: %s', (_what, interval, pictures, [from, to], count) => {
  const due = createDue(interval);
  for (const time of pictures) due.take(time);
  expect(due.between(from, to)).toBe(count);
});
