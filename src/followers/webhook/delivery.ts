/** Delivers items one after the other; what is too old is told once. */
import { randomUUID } from 'node:crypto';
import { errorInfo, LookoutError } from '../../errors.ts';
import { untilAborted } from '../../lib/abort.ts';
import { linked } from '../../lib/linked.ts';
import type { Follower, FollowerContext, Item, Refused } from '../../types.ts';
import { messageOf, testMessage, type Message } from './message.ts';
import type { Pictures } from './picture.ts';
import type { Sender } from './sender.ts';
import { createTooOld } from './too-old.ts';

interface Delivery extends Pick<FollowerContext<unknown>, 'name' | 'log' | 'signal'> {
  readonly makeSender: () => Sender;
  readonly pictures: Pictures;
  readonly max_age_seconds: number | null;
}

/** Nothing younger waits: it would have been brought by then. */
const CAUGHT_UP_MS = 3000;
/** Nobody brings again what is no item. */
const AGAIN_MS = 60_000;
/** A target that is there, and fails so often with what is no item, never takes it: many know nothing but events. */
const MOST_MISSES = 3;

export function createDelivery({ name, makeSender, pictures, max_age_seconds, log, signal: life }: Delivery): Follower {
  const sender = makeSender();
  const tooOld = createTooOld(max_age_seconds);
  const closing = linked(life);
  let timer: NodeJS.Timeout | undefined;
  let telling = Promise.resolve();
  let misses = 0;

  async function tellTooOld(signal: AbortSignal): Promise<void> {
    const message = tooOld.message();
    if (message === null) return;
    const outcome = await sender.send(message, signal);
    isTold(message, outcome);
  }

  function isTold({ text }: Message, facts: object): void {
    tooOld.told();
    misses = 0;
    log.warn(text, { follower: name, ...facts });
  }

  /** After an item, which shows that the target is there: whatever becomes of it, the next item goes. */
  async function tellInPassing(signal: AbortSignal): Promise<void> {
    try {
      await tellTooOld(signal);
    } catch (error) {
      if (signal.aborted) return;
      misses += 1;
      if (misses >= MOST_MISSES) giveUp({ reason: errorInfo(error).message });
    }
  }

  function giveUp(facts: object): void {
    const message = tooOld.message();
    if (message !== null) isTold(message, { is: 'not_told', ...facts });
  }

  function tellAfter(ms: number): void {
    if (tooOld.message() === null || closing.signal.aborted) return;
    timer = setTimeout(() => {
      telling = tellTooOld(closing.signal).catch(() => { tellAfter(AGAIN_MS); });
    }, ms);
    timer.unref();
  }

  /** A picture is drawn into only where it is sent: that takes a process. */
  async function withPicture(item: Item, signal: AbortSignal): Promise<Message> {
    const message = messageOf(item, await pictures.of(item));
    if (message.picture === null || !(await sender.sends(message))) return message;
    return { ...message, picture: await pictures.withBox(item, message.picture, signal) };
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
          const outcome = await sender.send(await withPicture(item, link.signal), link.signal);
          tooOld.settled(item, outcome.is === 'taken');
          if (outcome.is === 'refused') refused.push({ item, reason: outcome.reason });
          if (outcome.is === 'taken') await tellInPassing(link.signal);
        }
        tellAfter(CAUGHT_UP_MS);
        return refused;
      } finally {
        link.release();
      }
    },
    isSent: async (item) => !tooOld.isTooOld(item, Date.now()) && sender.sends(messageOf(item, await pictures.of(item))),
    async test(signal) {
      const message = testMessage(name, `test/${randomUUID()}`, new Date().toISOString(), await pictures.newest());
      const link = linked(signal, closing.signal);
      // Of its own: a delivery may be under way on the other.
      const own = makeSender();
      try {
        const outcome = await own.send(message, link.signal);
        if (outcome.is === 'refused') throw new LookoutError('target_away', `${sender.origin} does not take a test: ${outcome.reason}`);
        return outcome.is === 'taken' ? `${sender.origin} took a message of the type ${message.type}${message.picture === null ? '' : ', with the newest picture of a camera'}` : `nothing was sent to ${sender.origin}: the template gives nothing for a test`;
      } finally {
        own.close();
        link.release();
      }
    },
    async close() {
      clearTimeout(timer);
      closing.abort(new LookoutError('shutting_down', 'the follower is closed'));
      sender.close();
      await telling;
      giveUp({});
    },
  };
}
