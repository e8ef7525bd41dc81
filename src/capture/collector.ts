/** What a stream's source brings: into the spool, into the open batch, and on with it when that is full or due. */
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { isNoRoom } from '../lib/transient.ts';
import type { Books } from '../store/books.ts';
import type { Room } from '../store/janitor.ts';
import { batchOf, type Session, type Spool } from '../store/spool.ts';
import type { Batch, CapturedFrame, ClosedBy, Frame, LatestPicture, StreamSpec } from '../types.ts';
import { createBatcher } from './batcher.ts';
import { createLosses } from './losses.ts';
import { pauseMsAfter } from './pauses.ts';

export interface CollectorParts {
  readonly spool: Spool;
  readonly books: Books;
  /** A frame is in the spool: its models may look at it. */
  readonly offer: (frame: Frame, of: Pick<Batch, 'camera_id' | 'session' | 'models' | 'options'>) => void;
  /** Frames that come now are of another batch. Told at once, where `submit` may wait for the batch before. */
  readonly closed: (batch: Batch) => void;
  /** Takes a closed batch; durable when it returns. */
  readonly submit: (batch: Batch) => Promise<void>;
  readonly room: Room;
  readonly clock: Clock;
  readonly log: Log;
}

/** `lost`: why the picture could not be stored; it is counted. */
export type Taken = { readonly frame: Frame } | { readonly lost: unknown };

export interface Collector {
  /** Frames of the open batch. */
  readonly size: number;
  readonly latest: LatestPicture | null;
  take(session: Session, captured: CapturedFrame): Promise<Taken>;
  /** Hands over the open batch. */
  closeBatch(session: Session, closed_by: ClosedBy): void;
  /** Resolves when the batches that were closed are safe, or given up while stopping, and what was lost stands in the books. */
  settle(): Promise<void>;
}

/** What could not be stored when the stream is stopped is tried so often, at once. */
const TRIES_AT_END = 3;

/** `failed` is told what could not be stored, and answers it in words. `stopping` aborts when the stream is to stop. */
export function createCollector(
  { camera_id, models, options }: StreamSpec, parts: CollectorParts, failed: (error: unknown) => string, stopping: AbortSignal,
): Collector {
  const { spool, books, room, clock, log } = parts;
  const losses = createLosses(camera_id, books, clock, log);
  const batcher = createBatcher(options.batch_size, options.batch_deadline_seconds * 1000);
  let latest: LatestPicture | null = null;
  let closing: Promise<void> = Promise.resolve();
  let cancelDue: (() => void) | null = null;

  function closeBatch(session: Session, closed_by: ClosedBy): void {
    cancelDue?.();
    cancelDue = null;
    const frames = batcher.take();
    const last = frames.at(-1);
    if (!last) return;
    const batch = batchOf(session, frames, closed_by);
    parts.closed(batch);
    closing = closing.then(async () => {
      await keepLatest(session, last);
      await handOver(batch);
    });
  }

  /** Tried until it is safe: its frames are in the spool whatever happens. */
  async function handOver(batch: Batch): Promise<void> {
    let triesAtEnd = 0;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await parts.submit(batch);
        return;
      } catch (error) {
        if (await room.failed(error) && !stopping.aborted) continue;
        log.repeated('error', 'a batch could not be stored', camera_id, { reason: failed(error), batch: batch.id });
        // While stopping it is not worth a long wait: the next start finds the frames.
        if (stopping.aborted && (triesAtEnd += 1) >= TRIES_AT_END) return;
        await clock.sleep(pauseMsAfter(attempt), stopping);
      }
    }
  }

  /** A frame may leave the spool with its batch: the camera's latest picture stays. */
  async function keepLatest(session: Session, frame: Frame): Promise<void> {
    try {
      const file = await spool.showLatest(session, frame);
      if (latest?.captured_at === frame.captured_at) latest = { ...latest, file };
    } catch (error) {
      log.repeated('error', 'the latest picture could not be kept', camera_id, { reason: failed(error) });
    }
  }

  async function store(session: Session, captured: CapturedFrame): Promise<Taken> {
    for (let mayRetry = ('jpeg' in captured.picture); ; mayRetry = false) {
      try {
        return { frame: await spool.put(session, captured) };
      } catch (error) {
        // A picture that came as a file is gone.
        if (await room.failed(error) && mayRetry) continue;
        log.repeated('error', 'a frame could not be stored', camera_id, { reason: failed(error) });
        losses.count(1, isNoRoom(error) ? 'disk_full' : 'spool_failed', captured.captured_at);
        return { lost: error };
      }
    }
  }

  return {
    get size() {
      return batcher.size;
    },
    get latest() {
      return latest;
    },

    async take(session, captured) {
      if (captured.missed > 0) losses.count(captured.missed, 'slow_consumer', captured.captured_at);
      for (const [why, ticks] of Object.entries(captured.failed ?? {})) losses.count(ticks, why, captured.captured_at);
      const taken = await store(session, captured);
      if ('lost' in taken) return taken;
      const { frame } = taken;
      latest = { file: spool.path(frame.key), captured_at: frame.captured_at };
      if (models.length === 0) {
        // It is there to be shown, and nothing is to be recorded of it.
        await keepLatest(session, frame);
        await spool.remove(frame.key);
        return taken;
      }
      books.captured(camera_id);
      parts.offer(frame, { camera_id: session.camera_id, session: session.name, models: session.models, options: session.options });
      if (batcher.add(frame, clock.now())) closeBatch(session, 'count');
      else cancelDue ??= clock.after(Math.max(0, (batcher.dueAt() ?? 0) - clock.now()), () => { closeBatch(session, 'deadline'); });
      return taken;
    },

    closeBatch,

    async settle() {
      await closing;
      await losses.settle();
    },
  };
}
