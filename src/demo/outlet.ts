/** Writes to a client as fast as it may: all at once, or a few bytes a second. */
import type { Socket } from 'node:net';

export interface Outlet {
  write(bytes: Buffer): void;
  /** null: no limit any more; what waits goes. */
  limit(limit: Limit | null): void;
  close(): void;
}

/** So many bytes at once, then so many a second. */
export interface Limit {
  readonly bytes: number;
  readonly perSecond: number;
}

const TICK_MS = 100;
/** Bytes that may wait here: then the camera waits, as for a slow network. */
const MOST_WAITING = 65_536;

export function createOutlet(socket: Socket, camera: Socket): Outlet {
  let waiting: Buffer = Buffer.alloc(0);
  let may = Infinity;
  let ticks: NodeJS.Timeout | undefined;

  function drain(): void {
    const now = waiting.subarray(0, may);
    waiting = waiting.subarray(now.length);
    may -= now.length;
    if (now.length > 0) socket.write(now);
    if (waiting.length > MOST_WAITING) camera.pause();
    else camera.resume();
  }

  return {
    write(bytes) {
      waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
      drain();
    },
    limit(limit) {
      clearInterval(ticks);
      may = limit?.bytes ?? Infinity;
      if (limit && limit.perSecond > 0) {
        ticks = setInterval(() => {
          may += (limit.perSecond * TICK_MS) / 1000;
          drain();
        }, TICK_MS);
      }
      drain();
    },
    close: () => { clearInterval(ticks); },
  };
}
