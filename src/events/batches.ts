/** Which batch a frame is in, from when it is captured on: while a batch is open its first frame names it. */
import { dirname } from 'node:path';
import type { Batch, Frame } from '../types.ts';

export interface Batches {
  offered(frame: Frame, session: string): void;
  closed(batch: Batch): void;
  /** null: it is too long ago. */
  of(frame: Frame): string | null;
}

/** A batch that is closed, by the sequence of its frames within their session. */
interface Closed {
  readonly id: string;
  readonly session: string;
  readonly from: number;
  readonly to: number;
}

/** Of closed batches those before are forgotten. */
const MOST = 5000;

/** `nameOf`: of a batch, by its session and the key of its first frame. */
export function createBatches(nameOf: (session: string, firstKey: string) => string): Batches {
  /** The batch that the frames of a session are put into, by the first of them; kept until it is closed, as it is when its stream ends. */
  const open = new Map<string, { readonly id: string; readonly from: number }>();
  /** The oldest first. */
  const all = new Set<Closed>();
  const sessions = new Map<string, Closed[]>();

  function know(closed: Closed): void {
    all.add(closed);
    sessions.set(closed.session, [...sessions.get(closed.session) ?? [], closed]);
    const [oldest] = all;
    if (all.size > MOST && oldest) forget(oldest);
  }

  function forget(closed: Closed): void {
    all.delete(closed);
    const left = (sessions.get(closed.session) ?? []).filter((one) => one !== closed);
    if (left.length > 0) sessions.set(closed.session, left);
    else sessions.delete(closed.session);
  }

  return {
    offered(frame, session) {
      if (!open.has(session)) open.set(session, { id: nameOf(session, frame.key), from: frame.sequence });
    },
    closed({ id, session, frames }) {
      const [from, to] = [frames[0]?.sequence ?? 0, frames.at(-1)?.sequence ?? 0];
      const current = open.get(session);
      // One of an earlier time may come while it is open.
      if (current && from <= current.from && current.from <= to) open.delete(session);
      if (!sessions.get(session)?.some((one) => one.id === id)) know({ id, session, from, to });
    },
    of({ key, sequence }) {
      const session = dirname(key);
      const current = open.get(session);
      if (current && current.from <= sequence) return current.id;
      return sessions.get(session)?.findLast(({ from, to }) => from <= sequence && sequence <= to)?.id ?? null;
    },
  };
}
