/** The loop over batches: lanes, join, record, and what becomes of them. Starts what may start and never waits for one of them. */
import { errorInfo } from '../errors.ts';
import { createTurns } from '../lib/turns.ts';
import type { Answers, Batch, BatchRecord, Config, Delivery, Queue } from '../types.ts';
import type { DeadLetter } from './dead-letters.ts';
import { createInsistence } from './insist.ts';
import { joinAnswers } from './join.ts';
import type { Lane } from './lane.ts';
import { createOutcomes, type OutcomeParts } from './outcomes.ts';

export interface PipelineParts extends OutcomeParts {
  readonly config: Pick<Config, 'batches_at_once' | 'join_deadline_seconds'>;
  readonly queue: Queue;
  readonly lane: (model: string) => Lane;
  /** null: nothing that should be recorded. Throws when the record would be wrong. */
  readonly makeRecord: (batch: Batch, answers: Answers) => Promise<BatchRecord | null>;
}

export interface Pipeline {
  /** Durable when it returns: the manifest is written and the batch is queued, whatever the queue let go for it. */
  submit(batch: Batch, recovered?: boolean): Promise<void>;
  /** A batch that an earlier run left in the spool goes on from where it was. */
  resume(batch: Batch): Promise<void>;
  /** Whether the log has the record of the batch with this id. */
  isRecorded(id: string): Promise<boolean>;
  /** Sessions that still capture keep their folder. */
  readonly liveSessions: Set<string>;
  closeSession(session: string): Promise<void>;
  /** Runs until the signal aborts; then waits for the batches under way, which end soon after. */
  run(): Promise<void>;
  /** Batches under way. */
  readonly busy: number;
  /** What keeps batches from being recorded now, in words. */
  readonly troubles: () => readonly string[];
}

/** How soon a batch is tried again whose try could not even be counted: the disk was full, say. */
const AGAIN_MS = 10_000;
/** A record that could not be made for want of something may be made a moment later; after this it never will. */
const RECORD_TRIES = 3;

export function createPipeline(parts: PipelineParts): Pipeline {
  const { queue, spool, books, deadLetters, recordLog, log, signal } = parts;
  const liveSessions = new Set<string>();
  const { insist, troubles } = createInsistence(log, signal);
  const outcomes = createOutcomes(parts, insist, liveSessions);
  const underWay = new Set<Promise<void>>();
  const letGo = createTurns();

  /** Asks the models. Each try is counted in the manifest before it is made; `tried` is the batch as it stands there. */
  async function ask(batch: Batch): Promise<{ readonly answers: Answers; readonly tried: Batch }> {
    let counted = batch;
    let counting: Promise<void> = Promise.resolve();
    const frames = batch.frames.map(({ key, captured_at, width, height }, index) => (
      { index, stream: batch.session, sequence: index, file: spool.path(key), captured_at, width, height }));
    const asked = batch.models.map((model) => {
      const lane = parts.lane(model);
      const countAttempt = (): Promise<void> => {
        counting = counting.then(async () => {
          const { attempts } = counted;
          const more = { ...counted, attempts: { ...attempts, [model]: (attempts[model] ?? 0) + 1 } };
          await spool.writeManifest(more);
          counted = more;
        });
        return counting;
      };
      return { model, identity: lane.identity, ready: lane.ready, ask: (giveUp: AbortSignal) => lane.predict(frames, batch.attempts[model] ?? 0, countAttempt, giveUp) };
    });
    const answers = await joinAnswers(asked, parts.config.join_deadline_seconds * 1000, signal).catch(async (error: unknown) => {
      // Stopping, or a try that could not be counted, which is no fault of the batch: what was cut short does not count.
      await counting.catch(() => undefined);
      if (counted !== batch) await spool.writeManifest(batch);
      throw error;
    });
    // A count of a model that came too late must not bring the manifest back after the batch is settled.
    await counting;
    return { answers, tried: counted };
  }

  async function carry(taken: Batch): Promise<void> {
    const { answers, tried: batch } = await ask(taken);
    const errors = failures(answers);
    if (Object.keys(errors).length === batch.models.length) {
      await outcomes.bury(batch, errors);
      return;
    }
    let record: BatchRecord | null;
    try {
      record = await insist(batch, 'its record could not be made', () => parts.makeRecord(batch, answers), RECORD_TRIES);
    } catch (error) {
      signal.throwIfAborted();
      await outcomes.bury(batch, { ...errors, record: errorInfo(error) });
      return;
    }
    if (record) {
      await outcomes.store(batch, record, answers, errors);
      await outcomes.append(batch, record);
    } else {
      await outcomes.drop(batch, 'nothing_found');
    }
  }

  /**
   * A batch waits in the queue until one of its models has room; one that nobody has set up yet is set up for it. Models
   * that cannot run always have room: they lead a batch out only when no other is left to look at it.
   */
  function mayGo({ models }: Batch): boolean {
    const lanes = models.map((model) => parts.lane(model));
    const able = lanes.filter(({ unable }) => !unable);
    if ((able.length > 0 ? able : lanes).some(({ room }) => room)) return true;
    for (const lane of able) lane.warm();
    return false;
  }

  async function handle(delivery: Delivery): Promise<void> {
    const { batch } = delivery;
    try {
      await carry(batch);
    } catch (error) {
      signal.throwIfAborted();
      log.error(`batch ${batch.id} is tried again`, { reason: errorInfo(error).message, next_try_ms: AGAIN_MS });
      await delivery.retry(batch, AGAIN_MS);
      return;
    }
    await delivery.done();
  }

  function track(batch: Batch, work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => {
        // Stopping: its files stay in the spool, and the next start takes it up.
        if (!signal.aborted) log.error(`batch ${batch.id} is left until the next start`, { reason: errorInfo(error).message });
      })
      .finally(() => { underWay.delete(tracked); });
    underWay.add(tracked);
  }

  async function submit(batch: Batch, recovered = false): Promise<void> {
    // The folder may be somebody else's by now.
    signal.throwIfAborted();
    await spool.writeManifest(batch);
    for (const gone of await queue.push(batch, recovered)) {
      log.warn(`${gone.camera_id}: batch ${gone.id} was let go`, { reason: 'the queue is full: the models are slower than the cameras' });
      // One after the other: where the books cannot be written, one trouble is told, not one for each.
      track(gone, letGo(() => outcomes.drop(gone, 'queue_full'), signal));
    }
  }

  return {
    liveSessions,
    submit,
    troubles,
    isRecorded: (id) => recordLog.has(id),
    get busy() {
      return underWay.size;
    },
    async closeSession(session) {
      liveSessions.delete(session);
      await spool.close(session).catch((error: unknown) => {
        log.warn(`the folder of session ${session} is left until the next start`, { reason: errorInfo(error).message });
      });
    },
    async resume(batch) {
      if (books.settled(batch.id)) {
        track(batch, outcomes.release(batch));
        return;
      }
      books.captured(batch.camera_id, batch.frames.length);
      if (await recordLog.has(batch.id) || await spool.isTicked(batch)) {
        track(batch, outcomes.recorded(batch));
        return;
      }
      const record = await spool.readRecord(batch);
      if (record) {
        track(batch, outcomes.append(batch, record));
        return;
      }
      // A letter that the books do not know yet, or no longer: its batch is looked at again.
      await deadLetters.remove(batch);
      await submit(batch, true);
    },
    async run() {
      for await (const delivery of queue.take(mayGo, signal)) {
        track(delivery.batch, handle(delivery));
        while (underWay.size >= parts.config.batches_at_once) await Promise.race(underWay);
      }
      await Promise.all(underWay);
    },
  };
}

function failures(answers: Answers): DeadLetter['errors'] {
  return Object.fromEntries(Object.entries(answers).flatMap(([model, answer]) => {
    if (!('error' in answer)) return [];
    return [[model, answer.last_words === undefined ? answer.error : { ...answer.error, last_words: answer.last_words }]];
  }));
}
