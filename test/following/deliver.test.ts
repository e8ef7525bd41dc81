/** What is looked for behind an item that does not come through, while its target may be away. */
import { expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { createDelivery, type Delivery } from '../../src/following/deliver.ts';
import type { Item } from '../../src/types.ts';
import { eventItem } from '../contracts/follower.ts';

const FIRST = eventItem(0);
const never = new AbortController().signal;

/** Time takes none. `beforeTry`: told its number, from 1. */
function deliveryTo(takes: (item: Item) => boolean, isSent: (item: Item) => boolean, beforeTry: (number: number) => void): Delivery {
  let tries = 0;
  return createDelivery({
    clock: { now: () => 0, sleep: () => new Promise((resolve) => { setImmediate(resolve); }) }, told: () => undefined, failed: () => undefined,
    follower: {
      deliver([item = FIRST]) {
        if (item === FIRST) beforeTry(tries += 1);
        return takes(item) ? Promise.resolve([]) : Promise.reject(new LookoutError('target_away', 'it fell over'));
      },
      isSent: (item) => Promise.resolve(isSent(item)),
      test: () => Promise.resolve(''), close: () => Promise.resolve(),
    },
  });
}

it('looks through so much at a try only, never twice, and no further than to those that it is compared with', async () => {
  const looks: number[] = [];
  let looked = 0;
  const delivery = deliveryTo((item) => item !== FIRST, () => true, () => { looks.push(looked); });
  // Behind it is much that nobody wants.
  const refused = await delivery.bring([FIRST], () => {
    looked += 1;
    return Promise.resolve(looked < 25 ? [] : [eventItem(looked)]);
  }, never);
  expect(refused).toMatchObject([{ item: FIRST, reason: expect.stringContaining('while others were taken') as string }]);
  expect([looks.slice(0, 7), looked]).toEqual([[0, 0, 0, 0, 10, 20, 25], 25]);
});

it('is compared with none that is not sent any more', async () => {
  let isOld = false;
  const [old, later] = [eventItem(1), eventItem(2)];
  const taken: Item[] = [];
  const delivery = deliveryTo((item) => item !== FIRST && taken.push(item) > 0, (item) => !(isOld && item === old), (number) => { isOld = number >= 6; });
  const behind = [[old], null, null, [later]];
  await delivery.bring([FIRST], () => Promise.resolve(behind.shift() ?? null), never);
  expect(taken).toEqual([old, old, later]);
});
