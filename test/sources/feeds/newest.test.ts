import { expect, it } from 'vitest';
import { createNewest } from '../../../src/sources/feeds/host/newest.ts';

/** What is given; each goes on when the test lets it. */
function start(): { readonly begun: (readonly [item: number, missed: number])[]; readonly failed: unknown[]; readonly give: (item: number) => void; readonly close: () => Promise<void>; readonly goOn: (error?: Error) => Promise<void> } {
  const begun: (readonly [number, number])[] = [];
  const failed: unknown[] = [];
  let settle: (error?: Error) => void = () => undefined;
  const newest = createNewest<number>((take) => new Promise((resolve, reject) => {
    const taken = take();
    if (taken) begun.push([taken.item, taken.missed]);
    settle = (error) => { if (error) reject(error); else resolve(); };
  }), (error) => { failed.push(error); });
  const goOn = async (error?: Error): Promise<void> => {
    settle(error);
    await new Promise(setImmediate);
  };
  return { begun, failed, goOn, give: (item) => { newest.give(item); }, close: () => newest.close() };
}

it('does one after the other, and the newest alone of those that wait', async () => {
  const { begun, give, goOn } = start();
  for (const item of [1, 2, 3, 4]) give(item);
  expect(begun).toEqual([[1, 0]]);
  await goOn();
  expect(begun).toEqual([[1, 0], [4, 2]]);
  await goOn();
  give(5);
  expect(begun).toEqual([[1, 0], [4, 2], [5, 0]]);
});

it('tells of a failure and does what is given then', async () => {
  const { begun, failed, give, goOn } = start();
  give(1);
  await goOn(new Error('no room'));
  give(2);
  expect(failed).toEqual([new Error('no room')]);
  expect(begun.map(([item]) => item)).toEqual([1, 2]);
});

it('is closed when what is being done is done, and lets go what waits', async () => {
  const { begun, give, goOn, close } = start();
  for (const item of [1, 2]) give(item);
  let isClosed = false;
  const closing = close().then(() => { isClosed = true; });
  await new Promise(setImmediate);
  expect(isClosed).toBe(false);
  await goOn();
  await closing;
  expect(begun.map(([item]) => item)).toEqual([1]);
});
