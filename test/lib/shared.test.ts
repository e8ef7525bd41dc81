/** Work of which one result does for all who ask for it at about the same time. */
import { expect, it } from 'vitest';
import { shared } from '../../src/lib/shared.ts';
import { createManualClock } from '../helpers/manual-clock.ts';

it('is done once for all who ask while it is done and for a while after, and anew for who comes later', async () => {
  const clock = createManualClock(0);
  const begun: ((result: string) => void)[] = [];
  const ask = shared(500, clock, () => new Promise<string>((resolve) => { begun.push(resolve); }));
  const first = ask();
  clock.pass(60);
  const second = ask();
  begun[0]?.('one');
  expect(await Promise.all([first, second])).toEqual(['one', 'one']);
  clock.pass(0.4);
  expect(await ask()).toBe('one');
  clock.pass(0.2);
  const third = ask();
  begun[1]?.('two');
  expect([await third, begun.length]).toEqual(['two', 2]);
});

it('keeps no failure for whoever comes later', async () => {
  let tries = 0;
  const ask = shared(500, createManualClock(0), () => {
    tries += 1;
    return tries === 1 ? Promise.reject(new Error('no')) : Promise.resolve('yes');
  });
  const both = [ask(), ask()];
  await expect(both[0]).rejects.toThrow('no');
  await expect(both[1]).rejects.toThrow('no');
  expect(await ask()).toBe('yes');
});
