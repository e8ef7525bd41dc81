import { expect, it } from 'vitest';
import { loadFamily, type Member } from '../../src/lib/family.ts';
import type { Queue } from '../../src/types.ts';
import { queueContract, type QueueBounds } from '../contracts/queue.ts';

type QueueMember = Member<{ readonly config: QueueBounds }, Queue | Promise<Queue>>;

const queues = await loadFamily<QueueMember>(new URL('../../src/queues/', import.meta.url));

it('the family holds the queue that is used', () => {
  expect([...queues.keys()]).toContain('memory');
});

for (const [name, { create }] of queues) queueContract(name, async (config) => create({ config }));
