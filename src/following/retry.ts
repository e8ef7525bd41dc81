/** Brings once more what was set aside, for whoever asks for it: a turn at a time, so that what is new does not wait for all of it. */
import type { Clock } from '../lib/clock.ts';
import type { Follower } from '../types.ts';
import type { Aside } from './aside.ts';

/** A target on which so many fall over in a row may be away: each of the others would wait for it. */
const GIVE_UP = 3;

export interface Retry {
  /** Resolves with how many were taken, once each was tried. Throws where none was taken why the last one was not, and when it is given up. */
  ask(): Promise<number>;
  /** Goes on for so long with what was asked for. False: nothing is left to do. Throws the signal's reason, and can go on after that. */
  turn(ms: number, signal: AbortSignal): Promise<boolean>;
  giveUp(reason: Error): void;
  /** Something is left to do. */
  readonly isAsked: boolean;
}

export interface RetryParts {
  readonly aside: Aside;
  readonly follower: Pick<Follower, 'deliver'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Told of each that was taken. */
  readonly took: () => void;
}

interface Run {
  /** null: nobody has looked which there are. */
  files: readonly string[] | null;
  /** Of these the next to be tried. */
  next: number;
  taken: number;
  inARow: number;
  last: Error | null;
  readonly done: Promise<number>;
  readonly resolve: (taken: number) => void;
  readonly reject: (reason: Error) => void;
}

export function createRetry({ aside, follower, clock, took }: RetryParts): Retry {
  let run: Run | null = null;
  /** Files in the order in which they failed: these go last, so that whatever stays in the way is passed the next time. */
  let failed: readonly string[] = [];

  async function filesInOrder(): Promise<readonly string[]> {
    const there = await aside.list();
    failed = failed.filter((file) => there.includes(file));
    return [...there.filter((file) => !failed.includes(file)), ...failed];
  }

  async function bring(file: string, signal: AbortSignal): Promise<boolean> {
    const item = await aside.read(file);
    if (!item) return false;
    const refused = await follower.deliver([{ ...item, asked: true }], signal);
    if (refused.length > 0) return false;
    await aside.remove(file);
    took();
    return true;
  }

  async function attempt(own: Run, file: string, signal: AbortSignal): Promise<void> {
    try {
      if (await bring(file, signal)) own.taken += 1;
      failed = failed.filter((one) => one !== file);
      own.inARow = 0;
    } catch (error) {
      signal.throwIfAborted();
      failed = [...failed.filter((one) => one !== file), file];
      own.inARow += 1;
      own.last = error as Error;
    }
  }

  /** Whether there is more. */
  async function goOn(own: Run, ms: number, signal: AbortSignal): Promise<boolean> {
    for (const until = clock.monotonic() + ms; clock.monotonic() <= until;) {
      own.files ??= await filesInOrder();
      const file = own.files[own.next];
      if (file === undefined || own.inARow === GIVE_UP) return false;
      await attempt(own, file, signal);
      own.next += 1;
    }
    return true;
  }

  return {
    ask() {
      if (run) {
        // More may lie there by now.
        [run.files, run.next] = [null, 0];
        return run.done;
      }
      let [resolve, reject]: [Run['resolve'], Run['reject']] = [() => undefined, () => undefined];
      const done = new Promise<number>((...both) => { [resolve, reject] = both; });
      run = { files: null, next: 0, taken: 0, inARow: 0, last: null, done, resolve, reject };
      return done;
    },
    async turn(ms, signal) {
      const own = run;
      if (!own) return false;
      try {
        if (await goOn(own, ms, signal)) return true;
        if (own.taken === 0 && own.last) own.reject(own.last);
        else own.resolve(own.taken);
      } catch (error) {
        signal.throwIfAborted();
        own.reject(error as Error);
      }
      run = null;
      return false;
    },
    giveUp(reason) {
      run?.reject(reason);
      run = null;
    },
    get isAsked() {
      return run !== null;
    },
  };
}
