/** Plays cameras with our own client, for tests: what came, and how it ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bounds } from '../../../src/lib/reach.ts';
import type { Unit } from '../../../src/sources/rtp/unit.ts';
import { play, type Playing } from '../../../src/sources/rtsp/client.ts';

export interface Watched {
  readonly playing: Playing;
  readonly units: readonly Unit[];
  /** Ends it in order. */
  readonly stop: () => Promise<void>;
}

export interface Asked {
  readonly seconds?: number;
  readonly tls?: string;
  readonly videoTrack?: number;
  readonly bounds?: Bounds | null;
  readonly signal?: AbortSignal;
}

/** Plays it for so long. */
export async function watch(url: string, { seconds = 0, tls = 'verify', videoTrack = 1, bounds = null, signal }: Asked = {}): Promise<Watched> {
  const units: Unit[] = [];
  const stopped = new AbortController();
  signal?.addEventListener('abort', () => { stopped.abort(signal.reason); });
  const playing = await play({ url, tls, videoTrack }, bounds, (unit) => { units.push(unit); }, stopped.signal);
  await Promise.race([sleep(seconds * 1000), playing.ended.catch(() => undefined)]);
  return {
    playing, units,
    async stop() {
      stopped.abort();
      await playing.ended;
    },
  };
}
