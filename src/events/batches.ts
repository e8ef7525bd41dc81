/** Which batch a frame is in, from when it is captured on: while a batch is open its first frame names it. */
import type { Batch, Frame } from '../types.ts';

export interface Batches {
  offered(frame: Frame, session: string): void;
  closed(batch: Batch): void;
  /** null: it is too long ago. */
  of(frame: Frame): string | null;
}

const MOST = 50_000;

/** `nameOf`: of a batch, by its session and the key of its first frame. */
export function createBatches(nameOf: (session: string, firstKey: string) => string): Batches {
  const open = new Map<string, string>();
  const known = new Map<string, string>();

  function know(key: string, batch: string): void {
    known.delete(key);
    known.set(key, batch);
    const [oldest] = known.keys();
    if (known.size > MOST && oldest !== undefined) known.delete(oldest);
  }

  return {
    offered(frame, session) {
      const batch = open.get(session) ?? nameOf(session, frame.key);
      open.set(session, batch);
      know(frame.key, batch);
    },
    closed({ id, session, frames }) {
      if (open.get(session) === id) open.delete(session);
      for (const { key } of frames) know(key, id);
    },
    of: ({ key }) => known.get(key) ?? null,
  };
}
