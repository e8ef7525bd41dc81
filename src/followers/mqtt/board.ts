/** Brings what stands at the broker in line with what is: sends what is other, and takes away what is no more. */
import { errorInfo } from '../../errors.ts';
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
/** A notice that was on the way so often in a row when the broker objected to something is what it objects to. */
const STRIKES = 2;

export function createBoard(wanted: () => readonly Notice[], warn: (message: string, facts: object) => void, signal: AbortSignal): Board {
  const turn = createTurns();
  /** Topics that may hold something of ours, whichever connection brought it there. */
  const ours = new Set<string>();
  /** By topic: how often in a row the broker objected while a notice with this mark was on the way. */
  const strikes = new Map<string, { readonly mark: string; readonly times: number }>();
  /** By topic: the marks of what this connection has brought. */
  let shown = new Map<string, string>();
  let shownOn: Connection | null = null;
  let waiting: Promise<void> | null = null;
  let isClosed = false;

  async function send(notice: Notice, connection: Connection): Promise<void> {
    const { topic, mark, contentType } = notice;
    const struck = strikes.get(topic);
    const times = struck?.mark === mark ? struck.times : 0;
    if (times >= STRIKES) return;
    const payload = await payloadOf(notice);
    if (isClosed) return;
    if (payload === null) {
      // What stands there is of something else.
      if (ours.has(topic)) await takeAway(topic, connection);
    } else {
      ours.add(topic);
      try {
        await put(topic, payload, contentType, connection);
      } catch (error) {
        if (connection.objection !== null) strikes.set(topic, { mark, times: times + 1 });
        if (connection.objection !== null && times + 1 === STRIKES) warn('the broker does not take a retained message', { topic, reason: connection.objection });
        throw error;
      }
    }
    strikes.delete(topic);
    shown.set(topic, mark);
  }

  async function payloadOf(notice: Notice): Promise<string | Uint8Array | null> {
    try {
      return await notice.payload();
    } catch (error) {
      warn('a picture could not be read', { topic: notice.topic, reason: errorInfo(error).message });
      return null;
    }
  }

  async function takeAway(topic: string, connection: Connection): Promise<void> {
    await put(topic, '', 'text/plain', connection);
    ours.delete(topic);
    shown.delete(topic);
    strikes.delete(topic);
  }

  /** Throws where the connection ends. What the broker does not take on it, it will not take later. */
  async function put(topic: string, payload: string | Uint8Array, contentType: string, connection: Connection): Promise<void> {
    let refusal: string | null;
    try {
      refusal = await connection.publish({ topic, payload, contentType, retain: true, id: null }, signal);
    } catch (error) {
      if (connection.lost.aborted || signal.aborted) throw error;
      refusal = errorInfo(error).message;
    }
    if (refusal !== null) warn('the broker does not take a retained message', { topic, reason: refusal });
  }

  async function round(connection: Connection): Promise<void> {
    if (connection !== shownOn) {
      shownOn = connection;
      shown = new Map();
    }
    const notices = wanted();
    const topics = new Set(notices.map(({ topic }) => topic));
    const others = notices.filter(({ topic, mark }) => shown.get(topic) !== mark);
    const isSuspect = ({ topic, mark }: Notice): boolean => strikes.get(topic)?.mark === mark;
    await inGroups([...ours].filter((topic) => !topics.has(topic)), TOGETHER, (topic) => takeAway(topic, connection));
    await inGroups(others.filter((notice) => !isSuspect(notice)), TOGETHER, (notice) => send(notice, connection));
    // By itself, so that it shows which of them it is.
    await inGroups(others.filter(isSuspect), 1, (notice) => send(notice, connection));
  }

  async function inGroups<One>(all: readonly One[], size: number, work: (one: One) => Promise<void>): Promise<void> {
    for (let at = 0; at < all.length && !isClosed; at += size) await Promise.all(all.slice(at, at + size).map(work));
  }

  return {
    update(connection) {
      // Whoever asks while others wait for their turn has it with them.
      waiting ??= turn(async () => {
        waiting = null;
        if (!isClosed && !connection.lost.aborted) await round(connection);
      }).catch((error: unknown) => {
        // The end of a connection is told where it is noticed.
        if (!connection.lost.aborted && !signal.aborted) warn('retained messages could not be brought up to date', { reason: errorInfo(error).message });
      });
      return waiting;
    },
    alone: (work) => turn(work),
    close() {
      isClosed = true;
    },
  };
}
