/** A clock on which time passes as fast as the work allows: it goes on to the next alarm once nothing is left to do before. */
import type { Clock } from '../../src/lib/clock.ts';

export interface VirtualClock extends Clock {
  /** Lets so much time pass. */
  pass(ms: number): Promise<void>;
}

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly work: () => void;
}

const BEGIN = Date.parse('2026-07-01T12:00:00.000Z');

export function createVirtualClock(): VirtualClock {
  let now = 0;
  let order = 0;
  const alarms = new Set<Alarm>();

  function after(ms: number, work: () => void): () => void {
    const alarm: Alarm = { at: now + Math.max(0, ms), order: order += 1, work };
    alarms.add(alarm);
    return () => { alarms.delete(alarm); };
  }

  const next = (): Alarm | null => {
    let first: Alarm | null = null;
    for (const alarm of alarms) if (!first || alarm.at < first.at || (alarm.at === first.at && alarm.order < first.order)) first = alarm;
    return first;
  };

  /** Everything that waits for nothing but promises is done when the event loop comes round. */
  const settle = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

  return {
    now: () => BEGIN + Math.floor(now),
    monotonic: () => now,
    after,
    sleep: (ms, signal) => new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const wake = (): void => {
        cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = after(ms, wake);
      signal.addEventListener('abort', wake);
    }),
    async pass(ms) {
      const end = now + ms;
      await settle();
      for (let alarm = next(); alarm && alarm.at <= end; alarm = next()) {
        now = alarm.at;
        // Those of one moment together.
        for (let same: Alarm | null = alarm; same && same.at === now; same = next()) {
          alarms.delete(same);
          same.work();
        }
        await settle();
      }
      now = end;
    },
  };
}
