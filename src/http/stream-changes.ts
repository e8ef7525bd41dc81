/** Tells those who ask again and again for all streams only what is new: hundreds of cameras are a megabyte a minute. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { StreamStatus } from '../types.ts';

export interface Changes {
  /** Of what is told: next time `since` this. */
  readonly version: string;
  /** All streams are told, whatever the client knows: its version is of another run, too old, or none. */
  readonly complete: boolean;
  readonly streams: readonly StreamStatus[];
  readonly removed: readonly StreamStatus['camera_id'][];
}

/** Streams that are gone and still known by name. Who asks more rarely than so many go is told everything. */
const MOST_REMOVED = 1000;

interface Seen {
  /** Counts the looks in which something was new. */
  readonly at: number;
  readonly camera_id: StreamStatus['camera_id'];
}

/** Compares the streams with those of the look before: nothing has to be told of a change. */
export function createStreamChanges(): (streams: readonly StreamStatus[], since?: string) => Changes {
  const run = randomBytes(4).toString('hex');
  const known = new Map<string, Seen & { readonly stream: StreamStatus }>();
  const removed = new Map<string, Seen>();
  let newest = 0;
  /** Who knows less than this may have missed a removal. */
  let oldest = 0;

  function look(streams: readonly StreamStatus[]): void {
    const at = newest + 1;
    const left = new Map(known);
    for (const stream of streams) {
      const { camera_id } = stream;
      const id = String(camera_id);
      const before = known.get(id)?.stream;
      left.delete(id);
      if (before && isSame(before, stream)) continue;
      newest = at;
      known.set(id, { at, camera_id, stream });
      removed.delete(id);
    }
    for (const [id, { camera_id }] of left) {
      newest = at;
      known.delete(id);
      removed.set(id, { at, camera_id });
    }
    for (const [id, gone] of removed) {
      if (removed.size <= MOST_REMOVED) break;
      removed.delete(id);
      oldest = gone.at;
    }
  }

  /** null: nothing that this server told, or too long ago. */
  function readVersion(version: string | undefined): number | null {
    const [, of, number] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(version ?? '') ?? [];
    const at = Number(number);
    return of === run && at >= oldest && at <= newest ? at : null;
  }

  return (streams, since) => {
    look(streams);
    const from = readVersion(since);
    const version = `${run}-${newest}`;
    if (from === null) return { version, complete: true, streams, removed: [] };
    return {
      version,
      complete: false,
      streams: streams.filter(({ camera_id }) => (known.get(String(camera_id))?.at ?? 0) > from),
      removed: [...removed.values()].filter(({ at }) => at > from).map(({ camera_id }) => camera_id),
    };
  };
}

/** An age alone is no change. */
function isSame(before: StreamStatus, now: StreamStatus): boolean {
  return (Object.keys(now) as (keyof StreamStatus)[]).every((key) => key === 'last_frame_age_seconds' || before[key] === now[key] || isDeepStrictEqual(before[key], now[key]));
}
