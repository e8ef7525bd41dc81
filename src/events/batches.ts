/** Which batch a frame is in, from when it is captured on: while a batch is open its first frame names it. */
import { dirname } from 'node:path';
import type { Batch, Frame } from '../types.ts';

export interface Batches {
  offered(frame: Frame, session: string): void;
  closed(batch: Batch): void;
  /** null: it is too long ago. */
  of(frame: Frame): string | null;
}

/** A batch by the sequence of its frames within their session. `to`: Infinity while it is open. */
interface Known {
  readonly id: string;
  readonly session: string;
  readonly from: number;
  to: number;
}

/** Those before are forgotten. */
const MOST = 5000;

/** `nameOf`: of a batch, by its session and the key of its first frame. */
export function createBatches(nameOf: (session: string, firstKey: string) => string): Batches {
  /** The oldest first. */
  const all = new Set<Known>();
  const sessions = new Map<string, Known[]>();

  function know(known: Known): void {
    all.add(known);
    sessions.set(known.session, [...sessions.get(known.session) ?? [], known]);
    const [oldest] = all;
    if (all.size > MOST && oldest) forget(oldest);
  }

  function forget(known: Known): void {
    all.delete(known);
    const left = (sessions.get(known.session) ?? []).filter((one) => one !== known);
    if (left.length > 0) sessions.set(known.session, left);
    else sessions.delete(known.session);
  }

  const openIn = (session: string): Known | undefined => sessions.get(session)?.findLast(({ to }) => to === Infinity);

  return {
    offered(frame, session) {
      if (!openIn(session)) know({ id: nameOf(session, frame.key), session, from: frame.sequence, to: Infinity });
    },
    closed({ id, session, frames }) {
      const [first, last] = [frames[0]?.sequence ?? 0, frames.at(-1)?.sequence ?? 0];
      const known = sessions.get(session)?.findLast((one) => one.id === id);
      if (known) known.to = last;
      else know({ id, session, from: first, to: last });
    },
    of: ({ key, sequence }) => sessions.get(dirname(key))?.findLast(({ from, to }) => from <= sequence && sequence <= to)?.id ?? null,
  };
}
