/** Delivers items one after the other; what is too old is told once. */
import { randomUUID } from 'node:crypto';
import { LookoutError } from '../../errors.ts';
import { untilAborted } from '../../lib/abort.ts';
import { linked } from '../../lib/linked.ts';
import type { Follower, FollowerContext, Refused } from '../../types.ts';
import { messageOf, testMessage } from './message.ts';
import type { Sender } from './sender.ts';
import { createTooOld } from './too-old.ts';

interface Delivery extends Pick<FollowerContext<unknown>, 'name' | 'log' | 'signal'> {
  readonly sender: Sender;
  readonly max_age_seconds: number | null;
}

/** Nothing younger waits: it would have been brought by then. */
const CAUGHT_UP_MS = 3000;
/** Nobody brings again what is no item. */
const AGAIN_MS = 60_000;

export function createDelivery({ name, sender, max_age_seconds, log, signal: life }: Delivery): Follower {
  const tooOld = createTooOld(max_age_seconds);
  const closing = linked(life);
  let timer: NodeJS.Timeout | undefined;
  let telling = Promise.resolve();

  async function tellTooOld(signal: AbortSignal): Promise<void> {
    const message = tooOld.message();
    if (message === null) return;
    const outcome = await sender.send(message, true, signal);
    tooOld.told();
    log.warn(message.text, { follower: name, ...outcome });
  }

  function tellAfter(ms: number): void {
    if (tooOld.message() === null || closing.signal.aborted) return;
    timer = setTimeout(() => {
      telling = tellTooOld(closing.signal).catch(() => { tellAfter(AGAIN_MS); });
    }, ms);
    timer.unref();
  }

  return {
    async deliver(items, signal) {
      clearTimeout(timer);
      const link = linked(signal, closing.signal);
      try {
        await untilAborted(telling, link.signal);
        clearTimeout(timer);
        const refused: Refused[] = [];
        for (const item of items) {
          link.signal.throwIfAborted();
          if (tooOld.isTooOld(item, Date.now())) {
            tooOld.passed(item);
            continue;
          }
          await tellTooOld(link.signal);
          const outcome = await sender.send(messageOf(item), true, link.signal);
          tooOld.settled(item, outcome.is === 'taken');
          if (outcome.is === 'refused') refused.push({ item, reason: outcome.reason });
        }
        tellAfter(CAUGHT_UP_MS);
        return refused;
      } finally {
        link.release();
      }
    },
    isSent: (item) => Promise.resolve(!tooOld.isTooOld(item, Date.now()) && sender.sends(messageOf(item))),
    async test(signal) {
      const message = testMessage(name, `test/${randomUUID()}`, new Date().toISOString());
      const link = linked(signal, closing.signal);
      try {
        const outcome = await sender.send(message, false, link.signal);
        if (outcome.is === 'refused') throw new LookoutError('target_away', `${sender.origin} does not take a test: ${outcome.reason}`);
        return outcome.is === 'taken' ? `${sender.origin} took a message of the type ${message.type}` : `nothing was sent to ${sender.origin}: the template gives nothing for a test`;
      } finally {
        link.release();
      }
    },
    async close() {
      clearTimeout(timer);
      closing.abort(new LookoutError('shutting_down', 'the follower is closed'));
      sender.close();
      await telling;
      const message = tooOld.message();
      if (message !== null) log.warn(message.text, { follower: name, is: 'not_told' });
    },
  };
}
