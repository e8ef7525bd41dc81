/** Where the pictures of one camera wait that it brought, until its stream takes them. */
import { LookoutError } from '../../errors.ts';
import type { Measured } from '../../lib/jpeg.ts';
import type { PushedPicture, PushOutcome } from '../../types.ts';
import { createCadence, type Cadence } from './cadence.ts';

export interface MeasuredPicture extends PushedPicture {
  readonly size: Measured;
}

export interface Waiting {
  readonly picture: MeasuredPicture;
  /** It is stored, as far as its stream could. */
  accept(): void;
  /** Another one may have its place. */
  refuse(error: unknown): void;
}

export interface Box {
  /** Resolves when it is known what becomes of the picture. Throws `too_many_at_once`. */
  put(picture: MeasuredPicture): Promise<PushOutcome>;
  /** The stream takes pictures from now on, one for each interval. */
  begin(intervalMs: number): void;
  /** null: the signal aborted. Throws `stream_stalled` when nothing at all was brought for so long. */
  next(patienceMs: number, signal: AbortSignal): Promise<(Waiting & { /** Those before it that were due and were let go. */ readonly missed: number }) | null>;
  /** Resolves when something is brought, or the signal aborts. */
  called(signal: AbortSignal): Promise<void>;
  /** The stream takes no more: those that wait are refused. */
  end(): void;
}

interface Item extends Waiting {
  /** A newer one takes its place. */
  readonly isPlain: boolean;
  answer(outcome: PushOutcome): void;
}

/** Of one camera: then it has to wait. */
const MOST_WAITING = 8;
const LONGEST_WAIT_MS = 10_000;

export function createBox(): Box {
  let cadence: Cadence = createCadence(0);
  let takesEach = true;
  let waiting: Item[] = [];
  let taken: Item | null = null;
  let missed = 0;
  let heardMs = performance.now();
  let wake: (() => void) | null = null;

  const changed = (): void => {
    wake?.();
    wake = null;
  };

  /** Resolves with the next change, after so long, or when the signal aborts. */
  function change(ms: number | null, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = ms === null ? undefined : setTimeout(done, ms);
      signal.addEventListener('abort', done);
      wake = done;
    });
  }

  function remove(item: Item): boolean {
    const isThere = waiting.includes(item);
    waiting = waiting.filter((one) => one !== item);
    return isThere;
  }

  function letGoPlain(): void {
    for (const item of waiting.filter(({ isPlain }) => isPlain)) {
      remove(item);
      missed += 1;
      item.answer('let_go');
    }
  }

  return {
    put(picture) {
      heardMs = performance.now();
      const giveBack = cadence.takes(picture.findings.map((finding) => finding.class), heardMs);
      if (!giveBack) {
        changed();
        return Promise.resolve('let_go');
      }
      // A slow stream gets the newest.
      if (!takesEach) letGoPlain();
      return new Promise((resolve, reject) => {
        const settle = <Value>(how: (value: Value) => void) => (value: Value): void => {
          clearTimeout(late);
          how(value);
        };
        const answer = settle(resolve);
        const fail = settle(reject);
        const refuse = (error: unknown): void => {
          giveBack();
          fail(error);
        };
        const item: Item = {
          picture, isPlain: !takesEach && picture.findings.length === 0, answer, refuse, accept: () => { answer('taken'); },
        };
        const miss = (why: string): void => {
          missed += 1;
          refuse(new LookoutError('too_many_at_once', why));
        };
        const late = setTimeout(() => { if (remove(item)) miss(`the camera's stream took no picture for ${LONGEST_WAIT_MS / 1000} s; send this one again later`); }, LONGEST_WAIT_MS);
        if (waiting.length < MOST_WAITING) {
          waiting.push(item);
          changed();
        } else miss(`${waiting.length} pictures of this camera wait to be stored, and no more may; send this one again in a moment`);
      });
    },
    begin(intervalMs) {
      cadence = createCadence(intervalMs);
      takesEach = intervalMs === 0;
      heardMs = performance.now();
    },
    async next(patienceMs, signal) {
      taken = null;
      while (!signal.aborted) {
        const first = waiting.shift();
        if (first) {
          taken = first;
          const before = missed;
          missed = 0;
          return { ...first, missed: before };
        }
        const leftMs = heardMs + patienceMs - performance.now();
        if (leftMs <= 0) throw new LookoutError('stream_stalled', `the camera has pushed nothing for ${Math.round(patienceMs / 1000)} s`);
        await change(leftMs, signal);
      }
      return null;
    },
    async called(signal) {
      while (waiting.length === 0 && !signal.aborted) await change(null, signal);
    },
    end() {
      const error = new LookoutError('too_many_at_once', 'the camera\'s stream ended, or stores nothing now; send the picture again later');
      for (const item of [...waiting, ...(taken ? [taken] : [])]) item.refuse(error);
      [waiting, taken] = [[], null];
    },
  };
}
