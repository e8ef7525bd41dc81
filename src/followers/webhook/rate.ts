/** Keeps to a number of requests within any minute. */
import { systemClock, type Clock } from '../../lib/clock.ts';

export interface Rate {
  /** Resolves when the next may be sent, which then counts. Throws when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
}

const MINUTE_MS = 60_000;

/** null: as many as there are. */
export function createRate(perMinute: number | null, clock: Clock = systemClock): Rate {
  /** Of the last requests, as many as a minute may have. */
  const sent: number[] = [];
  return {
    async wait(signal) {
      if (perMinute !== null) {
        const [oldest = -Infinity] = sent.length < perMinute ? [] : sent;
        const left = oldest + MINUTE_MS - clock.monotonic();
        if (left > 0) await clock.sleep(left, signal);
        signal.throwIfAborted();
        sent.push(clock.monotonic());
        if (sent.length > perMinute) sent.shift();
      }
      signal.throwIfAborted();
    },
  };
}
