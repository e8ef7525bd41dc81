/** The loop over batches: lanes, join, record, sinks, books. Starts what may start and never waits for one of them. */
import { errorInfo } from '../errors.ts';
import { backoffMs, systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Batch, BatchRecord, Config, Delivery, LaneAnswer, Queue, Sink } from '../types.ts';
import type { Books } from './books.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import type { Evidence } from './evidence.ts';
import { joinAnswers } from './join.ts';
import type { Lane } from './lane.ts';
import type { Spool } from './spool.ts';

export interface PipelineParts {
  readonly config: Pick<Config, 'batches_at_once' | 'join_deadline_seconds'>;
  readonly queue: Queue;
  readonly spool: Spool;
  readonly books: Books;
  readonly deadLetters: DeadLetters;
  readonly evidence: Evidence;
  /** By name. */
  readonly sinks: ReadonlyMap<string, Sink>;
  readonly lane: (model: string) => Lane;
  /** null: nothing that should be recorded. Throws when the record would be wrong. */
  readonly makeRecord: (batch: Batch, answers: Readonly<Record<string, LaneAnswer>>) => Promise<BatchRecord | null>;
  readonly onRecorded: (batch: Batch, record: BatchRecord) => void;
  readonly log: Log;
}

export interface Pipeline {
  /** Durable when it returns: the manifest is written and the batch is queued, whatever the queue let go for it. */
  submit(batch: Batch, recovered?: boolean): Promise<void>;
  /** Sessions that still capture keep their folder. */
  readonly liveSessions: Set<string>;
  closeSession(session: string): Promise<void>;
  /** Runs until the signal aborts; then waits for the batches under way, which end soon after. */
  run(signal: AbortSignal): Promise<void>;
  /** Batches under way. */
  readonly busy: number;
}

/** The batch under way, with its attempts as they are counted. */
interface Loan {
  batch: Batch;
}

/** How soon a batch is looked at again whose models all are busy or not ready. */
const NOT_YET_MS = 200;
const AFTER_TROUBLE_MS = 5000;
/** Failures of the runner itself, whose frames are worth a replay; the others are for the record alone. */
const WORTH_A_REPLAY: ReadonlySet<string> = new Set(['runner_failed', 'runner_died', 'runner_timeout']);

export function createPipeline(parts: PipelineParts): Pipeline {
  const { queue, spool, books, sinks, log } = parts;
  const liveSessions = new Set<string>();
  const underWay = new Set<Promise<void>>();

  async function settle(batch: Batch, outcome: 'recorded' | 'dead_lettered' | 'dropped', reason?: string): Promise<void> {
    const files = outcome === 'dropped' ? { files: batch.frames.map(({ key }) => key) } : {};
    await books.settle({ camera_id: batch.camera_id, batch: batch.id, outcome, frames: batch.frames.length, ...(reason ? { reason } : {}), ...files });
    await spool.release(batch, [...sinks.keys()]);
    if (!liveSessions.has(batch.session)) await spool.close(batch.session);
  }

  async function write(batch: Batch, record: BatchRecord, name: string, sink: Sink, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await sink.write(record, signal);
        await spool.tick(batch, name);
        return;
      } catch (error) {
        signal.throwIfAborted();
        const pauseMs = backoffMs(attempt, 1000, 30_000);
        log.error(`sink ${name}: batch ${batch.id} could not be written`, { reason: errorInfo(error).message, next_try_ms: Math.round(pauseMs) });
        await systemClock.sleep(pauseMs, signal);
        signal.throwIfAborted();
      }
    }
  }

  async function deliverRecord(batch: Batch, record: BatchRecord, signal: AbortSignal): Promise<void> {
    await Promise.all([...sinks].map(([name, sink]) => write(batch, record, name, sink, signal)));
    parts.onRecorded(batch, record);
    await settle(batch, 'recorded');
  }

  /** Asks the models. Each try is counted in the manifest before it is made. */
  async function ask(loan: Loan, signal: AbortSignal): Promise<Readonly<Record<string, LaneAnswer>>> {
    const { batch } = loan;
    let counting: Promise<void> = Promise.resolve();
    const frames = batch.frames.map(({ key, captured_at, width, height }, index) => (
      { index, stream: batch.session, file: spool.path(key), captured_at, width, height }));
    const asked = batch.models.map((model) => {
      const lane = parts.lane(model);
      const countAttempt = (): Promise<void> => {
        counting = counting.then(async () => {
          const { attempts } = loan.batch;
          loan.batch = { ...loan.batch, attempts: { ...attempts, [model]: (attempts[model] ?? 0) + 1 } };
          await spool.writeManifest(loan.batch);
        });
        return counting;
      };
      return { model, identity: lane.identity, ready: lane.ready, ask: (giveUp: AbortSignal) => lane.predict(frames, batch.attempts[model] ?? 0, countAttempt, giveUp) };
    });
    const answers = await joinAnswers(asked, parts.config.join_deadline_seconds * 1000, signal);
    // A count of a model that came too late must not bring the manifest back after the batch is settled.
    await counting;
    return answers;
  }

  async function process(loan: Loan, signal: AbortSignal): Promise<void> {
    const answers = await ask(loan, signal);
    const { batch } = loan;
    const errors = failures(answers);
    if (Object.keys(errors).length === batch.models.length) {
      await parts.deadLetters.add({ batch, errors, recorded: false });
      log.warn(`${batch.camera_id}: batch ${batch.id} went to the dead letters`, { errors });
      await settle(batch, 'dead_lettered');
      return;
    }
    const record = await parts.makeRecord(batch, answers);
    if (!record) {
      await settle(batch, 'dropped', 'nothing_found');
      return;
    }
    const worthAReplay = Object.fromEntries(Object.entries(errors).filter(([, { code }]) => WORTH_A_REPLAY.has(code)));
    if (Object.keys(worthAReplay).length > 0) await parts.deadLetters.add({ batch, errors: worthAReplay, recorded: true });
    await parts.evidence.keep(batch, answers);
    await spool.writeRecord(batch, record);
    await deliverRecord(batch, record, signal);
  }

  async function handle(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const { batch } = delivery;
    const lanes = batch.models.map((model) => parts.lane(model));
    for (const lane of lanes) lane.warm();
    if (!lanes.some((lane) => lane.room)) {
      await delivery.retry(batch, NOT_YET_MS);
      return;
    }
    const loan: Loan = { batch };
    try {
      await process(loan, signal);
      await delivery.done();
    } catch (error) {
      // Stopping: the manifest stays in the spool, and the next start takes it up.
      if (signal.aborted) return;
      log.error(`batch ${batch.id} is tried again`, { reason: errorInfo(error).message });
      await delivery.retry(loan.batch, AFTER_TROUBLE_MS);
    }
  }

  function track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => { underWay.delete(tracked); });
    underWay.add(tracked);
  }

  return {
    liveSessions,
    get busy() {
      return underWay.size;
    },
    async closeSession(session) {
      liveSessions.delete(session);
      await spool.close(session);
    },
    async submit(batch, recovered = false) {
      await spool.writeManifest(batch);
      for (const gone of await queue.push(batch, recovered)) {
        log.warn(`${gone.camera_id}: batch ${gone.id} was let go`, { reason: 'the queue is full: the models are slower than the cameras' });
        await settle(gone, 'dropped', 'queue_full');
      }
    },
    async run(signal) {
      for await (const delivery of queue.take(signal)) {
        track(handle(delivery, signal));
        while (underWay.size >= parts.config.batches_at_once) await Promise.race(underWay);
      }
      await Promise.all(underWay);
    },
  };
}

function failures(answers: Readonly<Record<string, LaneAnswer>>): DeadLetter['errors'] {
  return Object.fromEntries(Object.entries(answers).flatMap(([model, answer]) => {
    if (!('error' in answer)) return [];
    return [[model, answer.last_words === undefined ? answer.error : { ...answer.error, last_words: answer.last_words }]];
  }));
}

/** Finishes what was left: records that were made, batches that were settled. Returns what is still to be looked at. */
export async function finishLeftovers(batches: readonly Batch[], parts: Pick<PipelineParts, 'spool' | 'books' | 'sinks' | 'log'>, signal: AbortSignal): Promise<readonly Batch[]> {
  const { spool, books, sinks } = parts;
  const open: Batch[] = [];
  for (const batch of batches) {
    signal.throwIfAborted();
    const record = books.settled(batch.id) ? null : await spool.readRecord(batch);
    if (!books.settled(batch.id) && !record) {
      open.push(batch);
      continue;
    }
    if (record) {
      for (const [name, sink] of sinks) {
        if (await spool.ticked(batch, name) || await sink.has(batch.id)) continue;
        await sink.write(record, signal);
        await spool.tick(batch, name);
      }
      await books.settle({ camera_id: batch.camera_id, batch: batch.id, outcome: 'recorded', frames: batch.frames.length });
    }
    await spool.release(batch, [...sinks.keys()]);
  }
  return open;
}
