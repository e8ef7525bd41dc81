/** What every queue does, whatever carries it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Batch, Config, Delivery, Queue } from '../../src/types.ts';

export type QueueBounds = Pick<Config, 'queue_per_stream' | 'queue_total'>;

const BOUNDS: QueueBounds = { queue_per_stream: 3, queue_total: 5 };

/** `open` gives an empty queue with these bounds. */
export function queueContract(name: string, open: (bounds: QueueBounds) => Promise<Queue>): void {
  describe(`the queue ${name}`, () => {
    let queue: Queue;
    let stop: AbortController;
    /** Ids of batches that may not go. */
    let held: Set<string>;
    const mayGo = ({ id }: Batch): boolean => !held.has(id);

    beforeEach(async () => {
      stop = new AbortController();
      held = new Set();
      queue = await open(BOUNDS);
    });
    afterEach(async () => {
      stop.abort();
      await queue.close();
    });

    const push = async (...ids: readonly string[]): Promise<readonly string[]> => {
      const gone: string[] = [];
      for (const id of ids) gone.push(...(await queue.push(batch(id))).map((one) => one.id));
      return gone;
    };
    const taking = (): AsyncIterator<Delivery, unknown> => queue.take(mayGo, stop.signal)[Symbol.asyncIterator]();

    describe('gives batches', () => {
      it('in the order in which they came, whole', async () => {
        await push('a1', 'b1', 'a2');
        const running = taking();
        const deliveries = [await next(running), await next(running), await next(running)];
        expect(deliveries.map((one) => one.batch)).toEqual(['a1', 'b1', 'a2'].map(batch));
      });

      it('to one who has waited for them', async () => {
        const running = taking();
        const waiting = next(running);
        await push('a1');
        expect((await waiting).batch.id).toBe('a1');
      });

      it('that are live before those that are recovered', async () => {
        await queue.push(batch('old1'), true);
        await queue.push(batch('old2'), true);
        await push('new1', 'new2');
        expect(await ids(taking(), 4)).toEqual(['new1', 'new2', 'old1', 'old2']);
      });

      it('that may go, and keeps the others in their places', async () => {
        held = new Set(['a1', 'old1']);
        await queue.push(batch('old1'), true);
        await push('a1', 'b1');
        const running = taking();
        expect((await next(running)).batch.id).toBe('b1');
        expect(queue.depth()).toBe(2);
        const waiting = next(running);
        held.clear();
        expect((await waiting).batch.id).toBe('a1');
        expect((await next(running)).batch.id).toBe('old1');
      });

      it('as soon as another is done, where that makes room', async () => {
        await push('a1', 'a2');
        held.add('a2');
        const running = taking();
        const first = await next(running);
        const waiting = next(running);
        held.clear();
        const began = performance.now();
        await first.done();
        expect((await waiting).batch.id).toBe('a2');
        expect(performance.now() - began).toBeLessThan(100);
      });

      it('leaving time for everything else, however many may not go', async () => {
        const many = Array.from({ length: 5000 }, (_, number) => `a${number}`);
        held = new Set(many);
        for (const id of many) await queue.push(batch(id), true);
        const waiting = next(taking());
        const began = performance.now();
        for (let round = 0; round < 20; round += 1) await new Promise((resolve) => { setTimeout(resolve, 20); });
        expect(performance.now() - began).toBeLessThan(2000);
        await push('b1');
        expect((await waiting).batch.id).toBe('b1');
      });

      it('one at a time to several who take', async () => {
        const [one, two] = [taking(), taking()];
        const waiting = [next(one), next(two)];
        await push('a1', 'a2');
        expect((await Promise.all(waiting)).map((delivery) => delivery.batch.id).sort()).toEqual(['a1', 'a2']);
      });
    });

    describe('is bounded', () => {
      it('for each stream: the oldest goes, and push says which', async () => {
        expect(await push('a1', 'a2', 'a3', 'b1')).toEqual([]);
        expect(await push('a4')).toEqual(['a1']);
        expect(await push('a5')).toEqual(['a2']);
        expect([queue.depth('a'), queue.depth('b'), queue.depth('c'), queue.depth()]).toEqual([3, 1, 0, 4]);
        expect(await ids(taking(), 4)).toEqual(['a3', 'b1', 'a4', 'a5']);
      });

      it('in total: the oldest of the fullest stream goes', async () => {
        expect(await push('b1', 'a1', 'a2', 'a3', 'c1')).toEqual([]);
        expect(await push('c2')).toEqual(['a1']);
        expect(queue.depth()).toBe(5);
      });

      it('but lets no recovered batch go, nor a live one for it', async () => {
        await push('a1', 'a2', 'a3', 'b1', 'b2');
        for (let number = 1; number <= 10; number += 1) expect(await queue.push(batch(`a0${number}`), true)).toEqual([]);
        expect(await push('a4')).toEqual(['a1']);
        expect(queue.depth()).toBe(15);
      });

      it('by what waits, not by what is on loan', async () => {
        await push('a1', 'a2', 'a3');
        await ids(taking(), 2);
        expect(queue.depth('a')).toBe(1);
        expect(await push('a4', 'a5')).toEqual([]);
      });
    });

    describe('takes a batch back', () => {
      it('into its old place, as it is now', async () => {
        await push('a1', 'a2');
        const running = taking();
        const first = await next(running);
        await first.retry({ ...first.batch, attempts: { motion: 1 } }, 0);
        const again = await next(running);
        expect(again.batch).toEqual({ ...batch('a1'), attempts: { motion: 1 } });
        expect((await next(running)).batch.id).toBe('a2');
      });

      it('and keeps it for as long as it is told', async () => {
        await push('a1', 'a2');
        const running = taking();
        const first = await next(running);
        const began = Date.now();
        await first.retry(first.batch, 300);
        expect((await next(running)).batch.id).toBe('a2');
        expect((await next(running)).batch.id).toBe('a1');
        expect(Date.now() - began).toBeGreaterThanOrEqual(295);
      });

      it('as a recovered one if it was that', async () => {
        await queue.push(batch('old1'), true);
        const running = taking();
        const old = await next(running);
        await old.retry(old.batch, 0);
        await push('new1');
        expect(await ids(running, 2)).toEqual(['new1', 'old1']);
      });

      it('and no more once it is done', async () => {
        await push('a1', 'a2');
        const running = taking();
        await (await next(running)).done();
        expect(queue.depth()).toBe(1);
        expect((await next(running)).batch.id).toBe('a2');
      });
    });

    describe('ends', () => {
      it.each(['waits', 'pauses over a batch'])('within a second when the signal aborts while it %s', async (state) => {
        const running = taking();
        if (state !== 'waits') {
          await push('a1');
          const first = await next(running);
          await first.retry(first.batch, 60_000);
        }
        const waiting = running.next();
        const began = Date.now();
        stop.abort();
        expect((await waiting).done).toBe(true);
        expect(Date.now() - began).toBeLessThan(1000);
      });

      it('at once when the signal has aborted before, and keeps what it has', async () => {
        await push('a1');
        stop.abort();
        expect((await taking().next()).done).toBe(true);
        expect(queue.depth()).toBe(1);
      });

      it('for everybody when it is closed', async () => {
        const waiting = [taking().next(), taking().next()];
        await queue.close();
        expect((await Promise.all(waiting)).map(({ done }) => done)).toEqual([true, true]);
        expect((await taking().next()).done).toBe(true);
      });
    });
  });
}

/** A batch of the camera that the letters of its id name. */
function batch(id: string): Batch {
  const camera_id = id.replace(/\d+$/, '');
  const session = `${camera_id}_0a1b2c3d`;
  return { id, camera_id, session, closed_by: 'count', frames: [], models: ['motion'], attempts: {} };
}

async function next(running: AsyncIterator<Delivery, unknown>): Promise<Delivery> {
  const step = await running.next();
  if (step.done) throw new Error('the queue has ended');
  return step.value;
}

async function ids(running: AsyncIterator<Delivery, unknown>, count: number): Promise<readonly string[]> {
  const taken: string[] = [];
  while (taken.length < count) taken.push((await next(running)).batch.id);
  return taken;
}
