/** Brings what stands at the broker in line with what is: sends what is other, and takes away what is no more. */
import { createTurns } from '../../lib/turns.ts';
import type { Connection } from './connection.ts';
import type { Alone } from './deliver.ts';
import type { Notice } from './notices.ts';

export interface Board {
  /** Never rejects: where the connection ends, the next one begins anew. */
  update(connection: Connection): Promise<void>;
  /** Nothing is sent meanwhile. */
  readonly alone: Alone;
  /** Nothing is sent from now on. */
  close(): void;
}

/** Notices on the way at a time: some are pictures. */
const TOGETHER = 10;
/** A notice that was on the way so often when the broker objected to something is what it objects to. */
const STRIKES = 2;

export function createBoard(wanted: () => readonly Notice[], warn: (message: string, facts: object) => void, signal: AbortSignal): Board {
  const turn = createTurns();
  /** Topics that may hold something of ours, whichever connection brought it there. */
  const ours = new Set<string>();
  const strikes = new Map<string, number>();
  /** By topic: the marks of what this connection has brought. */
  let shown = new Map<string, string>();
  let shownOn: Connection | null = null;
  let waiting: Promise<void> | null = null;
  let isClosed = false;

  async function send(notice: Notice, connection: Connection): Promise<void> {
    const { topic, mark, contentType } = notice;
    const struck = `${topic}\n${mark}`;
    if ((strikes.get(struck) ?? 0) >= STRIKES) return;
    let payload: string | Uint8Array | null = null;
    try {
      payload = await notice.payload();
    } catch (error) {
      warn('a picture could not be read', { topic, reason: error instanceof Error ? error.message : String(error) });
    }
    if (payload !== null && !isClosed) {
      ours.add(topic);
      try {
        const refusal = await connection.publish({ topic, payload, contentType, retain: true, id: null }, signal);
        if (refusal !== null) warn('the broker does not take a retained message', { topic, reason: refusal });
      } catch (error) {
        if (connection.objection !== null) strikes.set(struck, (strikes.get(struck) ?? 0) + 1);
        // The connection goes on: it is this topic that is not allowed, and no other try would be.
        if (connection.lost.aborted) throw error;
        warn('the broker does not take a retained message', { topic, reason: error instanceof Error ? error.message : String(error) });
      }
    }
    shown.set(topic, mark);
  }

  async function takeAway(topic: string, connection: Connection): Promise<void> {
    await connection.publish({ topic, payload: '', contentType: 'text/plain', retain: true, id: null }, signal);
    ours.delete(topic);
    shown.delete(topic);
  }

  async function round(connection: Connection): Promise<void> {
    if (connection !== shownOn) {
      shownOn = connection;
      shown = new Map();
    }
    const notices = wanted();
    const topics = new Set(notices.map(({ topic }) => topic));
    await inGroups([...ours].filter((topic) => !topics.has(topic)), (topic) => takeAway(topic, connection));
    await inGroups(notices.filter(({ topic, mark }) => shown.get(topic) !== mark), (notice) => send(notice, connection));
  }

  async function inGroups<One>(all: readonly One[], work: (one: One) => Promise<void>): Promise<void> {
    for (let at = 0; at < all.length && !isClosed; at += TOGETHER) await Promise.all(all.slice(at, at + TOGETHER).map(work));
  }

  return {
    update(connection) {
      // Whoever asks while others wait for their turn has it with them.
      waiting ??= turn(async () => {
        waiting = null;
        if (!isClosed && !connection.lost.aborted) await round(connection);
      }).catch(() => undefined);
      return waiting;
    },
    alone: (work) => turn(work),
    close() {
      isClosed = true;
    },
  };
}
