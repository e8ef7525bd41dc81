/**
 * Batches that wait as a whole: for models that cannot look yet, or because an earlier run left them. They lie on disk as
 * manifests, so a crash loses none of them; this only keeps their order. Passive.
 *
 * Bounded: of one camera `perStream` batches may wait; beyond that its oldest is let go. Live ones go before recovered
 * ones, which are bounded by the disk that holds them.
 */
import type { Batch } from '../types.ts';

export type From = 'live' | 'recovered' | 'replayed';

export interface WaitingBatch {
  readonly batch: Batch;
  readonly from: From;
}

export interface WaitingBatches {
  readonly size: number;
  /** Those of this run. */
  readonly live: number;
  push(one: WaitingBatch): void;
  /** Takes out the first that may go, live ones before others. */
  take(mayGo: (batch: Batch) => boolean): WaitingBatch | null;
  /** Takes out the oldest live batch of the camera that has most of them, if that has more than so many. */
  letGo(perStream: number): Batch | null;
  /** Takes out the one that was captured first. */
  takeOldest(): WaitingBatch | null;
  /** One that was taken out so comes back to where it was. */
  putBack(one: WaitingBatch): void;
  in(session: string): readonly Batch[];
  of(camera: string): number;
}

export function createWaitingBatches(): WaitingBatches {
  let waiting: readonly WaitingBatch[] = [];
  /** How many there are of each camera: asked for all cameras at once, again and again. */
  const counts = new Map<string, number>();

  function count({ batch: { camera_id } }: WaitingBatch, more: 1 | -1): void {
    const now = (counts.get(camera_id) ?? 0) + more;
    if (now === 0) counts.delete(camera_id);
    else counts.set(camera_id, now);
  }

  /** -1: behind all. */
  function insert(one: WaitingBatch, place: number): void {
    waiting = waiting.toSpliced(place === -1 ? waiting.length : place, 0, one);
    count(one, 1);
  }

  function remove(one: WaitingBatch): void {
    waiting = waiting.filter((other) => other !== one);
    count(one, -1);
  }

  return {
    get size() {
      return waiting.length;
    },
    get live() {
      return waiting.filter(({ from }) => from === 'live').length;
    },
    push(one) {
      insert(one, one.from === 'live' ? waiting.findIndex(({ from }) => from !== 'live') : -1);
    },
    take(mayGo) {
      const one = waiting.find(({ batch }) => mayGo(batch));
      if (one) remove(one);
      return one ?? null;
    },
    letGo(perStream) {
      const byCamera = new Map<string, WaitingBatch[]>();
      for (const one of waiting) {
        if (one.from !== 'live') continue;
        const { camera_id } = one.batch;
        byCamera.set(camera_id, [...(byCamera.get(camera_id) ?? []), one]);
      }
      const fullest = [...byCamera.values()].reduce<readonly WaitingBatch[]>((most, own) => (own.length > most.length ? own : most), []);
      const [oldest] = fullest;
      if (!oldest || fullest.length <= perStream) return null;
      remove(oldest);
      return oldest.batch;
    },
    takeOldest() {
      const capturedAt = ({ batch }: WaitingBatch): string => batch.frames[0]?.captured_at ?? '';
      const [first, ...others] = waiting;
      if (!first) return null;
      const oldest = others.reduce((one, other) => (capturedAt(other) < capturedAt(one) ? other : one), first);
      remove(oldest);
      return oldest;
    },
    putBack(one) {
      insert(one, one.from === 'live' ? 0 : waiting.findIndex(({ from }) => from !== 'live'));
    },
    in: (session) => waiting.filter(({ batch }) => batch.session === session).map(({ batch }) => batch),
    of: (camera) => counts.get(camera) ?? 0,
  };
}
