/** The loop over batches: what waits, who is asked, and what becomes of each. Starts what may start and never waits for one of them. */
import { errorInfo, LookoutError } from '../errors.ts';
import { measure, NOTHING, sum, type Amount } from '../lib/amount.ts';
import { createTurns } from '../lib/turns.ts';
import type { Batch, Config, Frame, StreamRef } from '../types.ts';
import type { Expendable } from '../store/janitor.ts';
import { createAsking, type AskingParts } from './asking.ts';
import { withoutDamaged } from './damaged.ts';
import { createFinish, type FinishParts } from './finish.ts';
import { createInsistence } from './insist.ts';
import { createOutcomes } from './outcomes.ts';
import { createSequence } from './sequence.ts';
import { createWaitingBatches, type From, type WaitingBatch } from './waiting.ts';

export interface PipelineParts extends FinishParts, AskingParts {
  readonly config: Pick<Config, 'join_deadline_seconds' | 'model_retries' | 'queue_per_stream' | 'queue_total'>;
  /** A batch is on its way, a new one or one of an earlier run. */
  readonly closed: (batch: Batch, from: From) => void;
  /** One that had to wait is not looked at any more, or not in this run. */
  readonly over: (batch: Batch) => void;
}

/** Whose frame it is. */
export type FrameOf = Pick<Batch, 'camera_id' | 'session' | 'models' | 'options'>;

export interface Pipeline {
  /** A frame is in the spool: its models may look at it. */
  offer(frame: Frame, of: FrameOf): void;
  /**
   * Durable when it returns: the manifest is written, and the batch is on its road or let go for want of room. One that is
   * not live has its manifest already: of thousands that an earlier run left none is written anew before it is its turn.
   */
  submit(batch: Batch, from?: From): Promise<void>;
  /** A batch that an earlier run left in the spool, with its manifest, goes on from where it was. */
  recover(batch: Batch): Promise<void>;
  /** Whether the log has the record of the batch with this id. */
  isRecorded(id: string): Promise<boolean>;
  /** Runs until the signal aborts; then waits for the batches under way, which end soon after. */
  run(): Promise<void>;
  /** Batches under way. */
  readonly busy: number;
  /** Batches that wait, of one camera or in all. */
  waiting(camera?: string): number;
  /** Batches that wait, the oldest first: what the janitor may let go. */
  readonly expendable: Expendable;
  /** What keeps batches from being recorded now, in words. */
  readonly troubles: () => readonly string[];
}

/** How soon it is looked whether a batch may go that waits. */
const LOOK_MS = 200;

export function createPipeline(parts: PipelineParts): Pipeline {
  const { spool, books, deadLetters, recordLog, lane, clock, config, log, signal } = parts;
  const { insist, troubles } = createInsistence(parts);
  const outcomes = createOutcomes(parts, insist);
  const finish = createFinish(parts, insist, outcomes);
  const asking = createAsking(parts);
  const waiting = createWaitingBatches();
  /** What is being done for batches, and for which. */
  const underWay = new Map<Promise<void>, { readonly from: From; readonly camera: string }>();
  /** Sessions of which a batch that waited is being asked about. */
  const fed = new Set<string>();
  const letGo = createTurns();
  const inSequence = createSequence();
  const joinMs = config.join_deadline_seconds * 1000;

  // ── Batches under way ────────────────────────────────────────────────────────────────────────────────────────────

  /** Waits for the looks of a batch whose frames are asked about; the manifest counts this run. */
  function carry(batch: Batch, deadlineMs: number | null): Promise<void> {
    asking.closed(batch);
    const answers = asking.answers(batch, deadlineMs, signal).catch(async (error: unknown) => {
      // Stopping: what was cut short does not count.
      await spool.writeManifest({ ...batch, attempts: batch.attempts - 1 });
      throw error;
    });
    return inSequence(batch, answers, (all) => finish(batch, all));
  }

  function track(batch: Batch, work: Promise<void>, from: From): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => {
        // Stopping: its files stay in the spool, and the next start takes it up.
        if (!signal.aborted) log.error(`batch ${batch.id} is left until the next start`, { reason: errorInfo(error).message });
      })
      .finally(() => { underWay.delete(tracked); });
    underWay.set(tracked, { from, camera: batch.camera_id });
  }

  function drop(batch: Batch): void {
    log.repeated('warn', 'a batch was let go', batch.camera_id, { reason: 'too many batches wait: for models that cannot look yet, or for the disk' });
    asking.letGo(batch);
    // One after the other: where the books cannot be written, one trouble is told, not one for each.
    track(batch, letGo(() => outcomes.drop(batch, 'queue_full'), signal).finally(() => { release(batch); }), 'live');
  }

  /** Nothing but the books stands in its way, so it is let go or stays where it was. */
  async function dropOldest(): Promise<Amount | null> {
    const one = waiting.takeOldest();
    if (!one) return null;
    const { batch } = one;
    const files = batch.frames.map(({ key }) => key);
    try {
      const amounts = await Promise.all(files.map((key) => measure(spool.path(key))));
      await books.settle({ camera_id: batch.camera_id, batch: batch.id, outcome: 'dropped', reason: 'disk_full', frames: files.length, files });
      asking.letGo(batch);
      parts.over(batch);
      track(batch, outcomes.release(batch).finally(() => { release(batch); }), one.from);
      // With its manifest.
      return amounts.reduce<Amount>(sum, { bytes: 0, files: 1 });
    } catch (error) {
      waiting.putBack(one);
      throw error;
    }
  }

  // ── Batches that wait ────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A batch may go when one of its models can look, or when its camera says that it has seen something. Models that cannot
   * be set up lead a batch out only when no other is left to look at it.
   */
  function mayGo({ models, frames }: Batch): boolean {
    const isTold = frames.some(({ findings }) => findings);
    const able = models.map(lane).filter(({ readiness, isInstant }) => readiness !== 'unable' && (isTold || !isInstant));
    if (able.length === 0 || able.some(({ readiness }) => readiness === 'ready')) return true;
    for (const one of able) one.warm();
    return false;
  }

  /** Newer frames of a stream wait until what of it has waited longer was looked at; not those of batches before it, for which it waits. */
  function hold({ models, session, frames }: Batch): void {
    for (const model of models) lane(model).hold(session, frames[0]?.sequence ?? 0);
  }

  function wait(one: WaitingBatch): void {
    hold(one.batch);
    waiting.push(one);
  }

  /** What still waits holds those after it, and no longer those before: it would wait for them for ever. */
  function release({ session, models }: Batch): void {
    if (fed.has(session)) return;
    for (const model of models) lane(model).release(session);
    waiting.in(session).forEach(hold);
  }

  function feed(): void {
    const may = (batch: Batch): boolean => !fed.has(batch.session) && mayGo(batch);
    for (let one = waiting.take(may); one; one = waiting.take(may)) {
      const { batch } = one;
      fed.add(batch.session);
      track(batch, begin(one).finally(() => {
        fed.delete(batch.session);
        release(batch);
        parts.over(batch);
      }), one.from);
    }
  }

  async function begin({ batch: found, from }: WaitingBatch): Promise<void> {
    const batch = from === 'live' ? found : await insist(found, 'its damaged frames could not be left out', () => withoutDamaged(found, parts));
    if (batch !== found) log.warn(`${batch.camera_id}: batch ${batch.id} goes on without ${found.frames.length - batch.frames.length} damaged frames`);
    if (batch.frames.length === 0) {
      await outcomes.release(found);
      return;
    }
    if (batch.attempts > config.model_retries) {
      const error = errorInfo(new LookoutError('runner_died', `Lookout ended ${batch.attempts} times while its models were asked, so they are not asked again`));
      await outcomes.bury(batch, Object.fromEntries(batch.models.map((model) => [model, error])));
      return;
    }
    const begun = { ...batch, attempts: batch.attempts + 1 };
    await insist(batch, 'its try could not be counted', () => spool.writeManifest(begun));
    const stream = streamOf(batch, from === 'live' ? 'kept' : from);
    for (const frame of batch.frames) asking.ask(frame, batch.models, stream);
    await carry(begun, from === 'replayed' ? null : joinMs);
  }

  /**
   * Live batches that nobody has settled yet, also those that wait for the disk, are bounded: two for each stream at the
   * least. What an earlier run left is bounded by the disk that holds it.
   */
  function isTooMany(): boolean {
    return liveUnderWay().length + waiting.live >= mostLive();
  }

  const mostLive = (): number => Math.max(config.queue_total, 2 * spool.sessions);
  /** The camera of each. */
  const liveUnderWay = (): readonly string[] => [...underWay.values()].filter(({ from }) => from === 'live').map(({ camera }) => camera);

  /** A camera whose batches do not come to an end takes no room from others: it is within its share of what there is. */
  function hasItsShare(camera: string): boolean {
    const cameras = liveUnderWay();
    return cameras.filter((one) => one === camera).length >= Math.max(2, mostLive() / new Set(cameras).size);
  }

  async function submit(batch: Batch, from: From = 'live'): Promise<void> {
    // The folder may be somebody else's by now.
    signal.throwIfAborted();
    parts.closed(batch, from);
    if (from !== 'live') {
      // Thousands may have been left: each would look at all that wait. The loop takes them up.
      wait({ batch, from });
      return;
    }
    // Decided before the manifest is written: while it is, models may come up.
    const goes = mayGo(batch);
    const begun = goes ? { ...batch, attempts: 1 } : batch;
    await spool.writeManifest(begun);
    if (isTooMany()) {
      const oldest = waiting.letGo(0);
      if (oldest) drop(oldest);
      // Those under way are being answered, or wait for the disk.
      else if (hasItsShare(batch.camera_id)) {
        drop(batch);
        return;
      }
    }
    if (goes) {
      for (const frame of batch.frames) if (!asking.isAsked(frame)) asking.ask(frame, batch.models, streamOf(batch, 'live'));
      track(begun, carry(begun, joinMs), from);
      return;
    }
    asking.takeBack(batch);
    wait({ batch, from });
    for (let gone = waiting.letGo(config.queue_per_stream); gone; gone = waiting.letGo(config.queue_per_stream)) drop(gone);
    feed();
  }

  return {
    submit,
    troubles,
    expendable: {
      folder: spool.folder,
      // Until they go they are to be looked at.
      held: () => 0,
      async letGo(wanted) {
        let gone = NOTHING;
        while (gone.bytes < wanted.bytes || gone.files < wanted.files) {
          const more = await dropOldest();
          if (!more) break;
          gone = sum(gone, more);
        }
        return gone;
      },
    },
    isRecorded: (id) => recordLog.has(id),
    offer: (frame, of) => { asking.ask(frame, of.models, streamOf(of, 'live')); },
    get busy() {
      return underWay.size;
    },
    waiting: (camera) => (camera === undefined ? waiting.size : waiting.of(camera)),
    async recover(batch) {
      if (books.settled(batch.id)) {
        track(batch, outcomes.release(batch), 'recovered');
        return;
      }
      // Damaged ones that were entered before a crash are in no spool any more.
      books.captured(batch.camera_id, batch.frames.filter(({ key }) => !books.settled(key)).length);
      if (await recordLog.has(batch.id) || await spool.isTicked(batch)) {
        track(batch, outcomes.recorded(batch), 'recovered');
        return;
      }
      const record = await spool.readRecord(batch);
      if (record) {
        track(batch, inSequence(batch, Promise.resolve(record), () => outcomes.append(batch, record)), 'recovered');
        return;
      }
      // A letter that the books do not know yet, or no longer: its batch is looked at again.
      await deadLetters.remove(batch);
      await submit(batch, 'recovered');
    },
    async run() {
      while (!signal.aborted) {
        feed();
        await clock.sleep(LOOK_MS, signal);
      }
      await Promise.all(underWay.keys());
    },
  };
}

function streamOf({ camera_id, session, options: { interval_seconds, batch_size } }: FrameOf, from: StreamRef['from']): StreamRef {
  return { camera_id, session, interval_seconds, batch_size, from };
}
