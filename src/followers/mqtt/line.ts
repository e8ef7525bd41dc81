/** Keeps a connection to the broker up, with pauses that grow; whoever needs one at once does not wait for them. */
import { untilAborted } from '../../lib/abort.ts';
import { backoffMs, systemClock } from '../../lib/clock.ts';
import { linked } from '../../lib/linked.ts';
import type { Connection } from './connection.ts';

export interface Line {
  /** null: there is none just now. */
  readonly current: Connection | null;
  /** From now on there is one whenever the broker is there. */
  keepUp(): void;
  /** Throws `target_away`, or the signal's reason. */
  reach(signal: AbortSignal): Promise<Connection>;
  /** No other is made from now on; the one that is there is left alone. */
  stop(): void;
}

export interface Calls {
  connect(signal: AbortSignal): Promise<Connection>;
  /** There is a new one. */
  connected(connection: Connection): void;
  /** It is gone, or there was none to be had, for the first time since there was. */
  lost(why: unknown): void;
}

const [SHORTEST_MS, LONGEST_MS] = [500, 30_000];
/** What lasted so long was well. */
const STEADY_MS = 10_000;

export function createLine(calls: Calls, signal: AbortSignal): Line {
  const life = linked(signal);
  let current: Connection | null = null;
  let attempt: Promise<Connection> | null = null;
  let isKept = false;
  let isMissed = false;

  const miss = (why: unknown): void => {
    if (!isMissed && !life.signal.aborted) calls.lost(why);
    isMissed = true;
  };

  async function make(): Promise<Connection> {
    try {
      const connection = await calls.connect(life.signal);
      current = connection;
      connection.lost.addEventListener('abort', () => {
        current = null;
        miss(connection.lost.reason);
      });
      isMissed = false;
      calls.connected(connection);
      return connection;
    } catch (error) {
      miss(error);
      throw error;
    } finally {
      attempt = null;
    }
  }

  async function reach(until: AbortSignal): Promise<Connection> {
    life.signal.throwIfAborted();
    if (current) return current;
    attempt ??= make();
    return untilAborted(attempt, until);
  }

  /** How long one lasted, in milliseconds; 0: none could be made. */
  async function lifeOfOne(): Promise<number> {
    try {
      const { lost } = await reach(life.signal);
      const begun = systemClock.monotonic();
      if (!lost.aborted) await new Promise((resolve) => { lost.addEventListener('abort', resolve, { once: true }); });
      return systemClock.monotonic() - begun;
    } catch {
      // Told where it happened: what is left to do is to try again.
      return 0;
    }
  }

  async function keep(): Promise<void> {
    for (let failures = 0; !life.signal.aborted; failures += 1) {
      if ((await lifeOfOne()) > STEADY_MS) failures = 0;
      await systemClock.sleep(backoffMs(failures, SHORTEST_MS, LONGEST_MS), life.signal);
    }
  }

  return {
    get current() {
      return current;
    },
    keepUp() {
      if (isKept) return;
      isKept = true;
      void keep();
    },
    reach,
    stop() {
      life.abort(new Error('the follower is closed'));
    },
  };
}
