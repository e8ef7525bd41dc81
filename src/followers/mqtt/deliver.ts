/** Sends items and waits until the broker has them all; finds the one for which it ends the connection. */
import type { Item, Refused } from '../../types.ts';
import type { Connection } from './connection.ts';
import type { Line } from './line.ts';
import type { Messages } from './messages.ts';

/** Runs what it is given while nothing else is sent. */
export type Alone = <Result>(work: () => Promise<Result>) => Promise<Result>;

export async function deliverItems(items: readonly Item[], line: Line, messages: Messages, alone: Alone, signal: AbortSignal): Promise<readonly Refused[]> {
  const connection = await line.reach(signal);
  const { refused, open } = await sendTogether(items, connection, messages, signal);
  if (open.length === 0) return refused;
  if (connection.objection === null) throw connection.lost.reason;
  const others = await alone(() => sendOneByOne(open, line, messages, signal));
  return [...refused, ...others];
}

interface Outcome {
  readonly refused: readonly Refused[];
  /** Not answered when the connection ended for something that was sent. */
  readonly open: readonly Item[];
}

async function sendTogether(items: readonly Item[], connection: Connection, messages: Messages, signal: AbortSignal): Promise<Outcome> {
  const answers = await Promise.allSettled(items.map((item) => connection.publish(messages.of(item), signal)));
  signal.throwIfAborted();
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed && connection.objection === null) throw failed.reason;
  return {
    refused: items.flatMap((item, index) => {
      const answer = answers[index];
      return answer?.status === 'fulfilled' && answer.value !== null ? [{ item, reason: answer.value }] : [];
    }),
    open: items.filter((_item, index) => answers[index]?.status === 'rejected'),
  };
}

/** Each on a connection of which nothing else is known: the one that ends it is refused. */
async function sendOneByOne(items: readonly Item[], line: Line, messages: Messages, signal: AbortSignal): Promise<readonly Refused[]> {
  const refused: Refused[] = [];
  for (const item of items) {
    const connection = await line.reach(signal);
    const outcome = await sendTogether([item], connection, messages, signal);
    const reason = outcome.open.length > 0 ? connection.objection : null;
    refused.push(...outcome.refused, ...(reason === null ? [] : [{ item, reason }]));
  }
  return refused;
}
