import { expect, it } from 'vitest';
import type { Cursor } from '../../src/following/cursor.ts';
import { openProgress } from '../../src/following/progress.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { LogPlace, LogReader } from '../../src/types.ts';

const place = (last: string): LogPlace => ({ volume: 'v', items: 1, last, time: null });

it('keeps the place in a log that is not followed for a while', async () => {
  const written: Cursor[] = [];
  const cursor = {
    read: () => Promise.resolve({ target: '', places: { events: place('e'), records: place('r') }, delivered: 1, lost: 0 }),
    write: (one: Cursor) => Promise.resolve(void written.push(one)),
  };
  const reader = { resolve: () => Promise.resolve(place('now')) } as unknown as LogReader;
  const progress = await openProgress('home', new Map([['events', reader]]), 'now', cursor, systemClock);
  progress.goTo('events', place('further'));
  await progress.write('now');
  await progress.rewind('now');
  expect(written.map(({ places }) => places)).toEqual([
    { events: place('further'), records: place('r') }, { events: place('now'), records: place('r') },
  ]);
});
