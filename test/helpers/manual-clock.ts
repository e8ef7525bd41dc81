/** A clock on which time passes when it is told to. */
import type { Clock } from '../../src/lib/clock.ts';

export interface ManualClock extends Clock {
  /** Alarms that are due by then ring in their order. */
  pass(seconds: number): void;
}

export function createManualClock(startMs: number): ManualClock {
  let nowMs = startMs;
  let alarms: readonly { readonly atMs: number; readonly work: () => void }[] = [];

  function after(ms: number, work: () => void): () => void {
    const alarm = { atMs: nowMs + Math.max(0, ms), work };
    alarms = [...alarms, alarm].sort((a, b) => a.atMs - b.atMs);
    return () => { alarms = alarms.filter((one) => one !== alarm); };
  }

  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    after,
    sleep: (ms, signal) => new Promise((resolve) => {
      if (ms <= 0 || signal.aborted) {
        resolve();
        return;
      }
      const cancel = after(ms, resolve);
      signal.addEventListener('abort', () => {
        cancel();
        resolve();
      }, { once: true });
    }),
    pass(seconds) {
      const untilMs = nowMs + 1000 * seconds;
      for (let [next] = alarms; next && next.atMs <= untilMs; [next] = alarms) {
        nowMs = next.atMs;
        alarms = alarms.slice(1);
        next.work();
      }
      nowMs = untilMs;
    },
  };
}
