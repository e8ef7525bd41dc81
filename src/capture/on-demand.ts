/** Who asks for pictures of cameras now: streams on demand run while somebody does, and linger for those who come again. */
import type { Clock } from '../lib/clock.ts';
import { linked } from '../lib/linked.ts';

export interface Demand {
  /** Somebody asks for pictures of the camera until the signal aborts. */
  ask(cameraId: string, signal: AbortSignal): void;
  /**
   * When its stream is to run: from when somebody asks until nobody has for `lingerMs`, again and again; null: all the time. Each
   * time is a signal that aborts with its end. Ends when `signal` aborts. One at a time for a camera.
   */
  times(cameraId: string, lingerMs: number | null, signal: AbortSignal): AsyncGenerator<AbortSignal, void, void>;
}

const nothing = (): void => undefined;

export function createDemand(clock: Clock): Demand {
  /** How many ask, by camera. */
  const asking = new Map<string, number>();
  /** What hears of each who comes or goes, by camera. */
  const ears = new Map<string, () => void>();

  function count(cameraId: string, more: 1 | -1): void {
    const now = (asking.get(cameraId) ?? 0) + more;
    if (now > 0) asking.set(cameraId, now);
    else asking.delete(cameraId);
    ears.get(cameraId)?.();
  }

  /** Resolves when somebody asks, or when the signal aborts. */
  function asked(cameraId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        ears.delete(cameraId);
        signal.removeEventListener('abort', done);
        resolve();
      };
      if (signal.aborted || asking.has(cameraId)) {
        resolve();
        return;
      }
      ears.set(cameraId, done);
      signal.addEventListener('abort', done);
    });
  }

  return {
    ask(cameraId, signal) {
      if (signal.aborted) return;
      signal.addEventListener('abort', () => { count(cameraId, -1); }, { once: true });
      count(cameraId, 1);
    },
    async* times(cameraId, lingerMs, signal) {
      if (lingerMs === null) {
        yield signal;
        return;
      }
      for (;;) {
        await asked(cameraId, signal);
        if (signal.aborted) return;
        const time = linked(signal);
        let cancel = nothing;
        const hear = (): void => {
          cancel();
          cancel = asking.has(cameraId) ? nothing : clock.after(lingerMs, () => { time.abort(); });
        };
        ears.set(cameraId, hear);
        // Who asked may be gone already.
        hear();
        try {
          yield time.signal;
        } finally {
          cancel();
          ears.delete(cameraId);
          time.release();
        }
      }
    },
  };
}
