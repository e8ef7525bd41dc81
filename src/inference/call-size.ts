/**
 * How many frames one call is to hold: as many as the model takes, fewer while calls last long, so that nobody waits long
 * behind one, where more would not be answered within the deadline, and where calls of so many fail. Passive.
 */

export interface CallSize {
  /** Frames of the next call, which is ended after so long. */
  of(most: number, deadlineMs: number, now: number): number;
  /** A call of so many frames took so long. */
  took(frames: number, ms: number): void;
  /** A call of several frames failed, perhaps because it held so many. Returns how to take that back. */
  failed(frames: number, now: number): () => void;
  /** The model is another one. */
  forget(): void;
  /** How long a call lasts, about; 0: nobody knows yet. */
  readonly usualMs: number;
}

/** A call that lasts longer is made smaller. */
const LONG_MS = 500;
/** A call of half the frames that takes more than this share of the time is no gain. */
const NO_GAIN = 0.75;
/** What is known of calls holds for the next about: it is to be over in this share of its deadline. */
const SAFE = 0.5;
/** Where calls failed, twice as many frames are tried after so long. */
const AGAIN_MS = 600_000;
/** The weight of the newest call in what is usual. */
const NEWEST = 0.3;

export function createCallSize(): CallSize {
  let limit = Infinity;
  let usualMs = 0;
  /** What failed held more than this, and until when no more is tried. */
  let bound = Infinity;
  let until = 0;
  /** What calls of each size take, about. */
  const bySize = new Map<number, number>();

  function blend(known: number | undefined, ms: number): number {
    return known === undefined ? ms : known + NEWEST * (ms - known);
  }

  /** As many as would surely be answered if each took as long as those before, or twice as many as were. One tells. */
  function within(safeMs: number): number {
    const known = [...bySize];
    const eachMs = Math.min(...known.map(([frames, ms]) => ms / frames));
    const answered = known.filter(([, ms]) => ms <= safeMs).map(([frames]) => frames);
    return Math.max(1, Math.floor(safeMs / eachMs), 2 * Math.max(0, ...answered));
  }

  return {
    of(most, deadlineMs, now) {
      if (now >= until) {
        bound *= 2;
        until = now + AGAIN_MS;
      }
      return Math.max(1, Math.min(most, limit, bound, within(SAFE * deadlineMs)));
    },
    failed(frames, now) {
      const before = bound;
      const own = Math.min(bound, Math.floor(frames / 2));
      bound = own;
      until = now + AGAIN_MS;
      // What was known of so many may hold no longer: a device is gone, perhaps.
      for (const size of bySize.keys()) if (size >= frames) bySize.delete(size);
      return () => { if (bound === own) bound = before; };
    },
    forget() {
      [limit, bound, usualMs] = [Infinity, Infinity, 0];
      bySize.clear();
    },
    took(frames, ms) {
      usualMs = blend(usualMs === 0 ? undefined : usualMs, ms);
      const own = blend(bySize.get(frames), ms);
      bySize.set(frames, own);
      const half = Math.floor(frames / 2);
      if (own <= LONG_MS) {
        if (own < LONG_MS / 2 && frames >= limit) limit = 2 * frames;
        return;
      }
      // Where calls last the same whatever they hold, small ones would only cost looks.
      if (own > NO_GAIN * (bySize.get(2 * frames) ?? Infinity)) limit = 2 * frames;
      else if (half > 0 && (bySize.get(half) ?? 0) <= NO_GAIN * own) limit = half;
    },
    get usualMs() {
      return usualMs;
    },
  };
}
