/** Decodes all that a camera sends, in turns, where its key frames alone do not do: of what is shown, the newest that is due becomes a picture. */
import { openFollower, type Follower, type Shown } from '../native/follower.ts';
import type { JpegSettings, Still } from '../native/jpeg.ts';
import type { Mark } from '../native/mark.ts';
import type { Codec } from '../../rtp/unit.ts';
import type { Kept } from './group.ts';
import type { Surroundings } from './surroundings.ts';

export interface Following {
  push(unit: Kept): void;
  /** Something is missing before the next unit: until a key frame comes nothing is whole. */
  taint(): void;
  /** Resolves when nothing is being decoded any more. */
  close(): Promise<void>;
}

interface Ears {
  /** A picture left the decoder; true: it is wanted. */
  readonly onShown: (ptsSeconds: number, isWhole: boolean) => boolean;
  /** `missed`: those that were wanted before it, and gave way to it. */
  readonly onStill: (still: Still, ptsSeconds: number, missed: number) => Promise<void>;
  /** What came since this time waited for a processor for too long and is let go, and so is what follows up to a key frame. */
  readonly onLetGo: (sinceSeconds: number) => void;
  readonly fail: (error: unknown) => void;
}

/** What waits for a processor for longer is let go, and the next key frame waited for. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;
/** Streams that refresh themselves bit by bit have no key frames, and are whole again by that time. */
const REFRESHED_SECONDS = 12;
/** Decoders hand out a picture after at most so many that came later. */
const MOST_REORDERED = 64;

interface Made {
  readonly still: Still;
  readonly ptsSeconds: number;
  readonly missed: number;
}

interface Facts {
  readonly ptsSeconds: number;
  readonly isWhole: boolean;
}

/** `parameterSets`: the newest, Annex B, for a stream that sends none itself and no key frame either, before which they stand. */
export function createFollowing(
  codec: Codec, parameterSets: () => Buffer, skip: 'noref' | 'none', settings: JpegSettings, { turn }: Surroundings, { onShown, onStill, onLetGo, fail }: Ears, signal: AbortSignal,
): Following {
  let waiting: (Kept & Facts)[] = [];
  let waitingBytes = 0;
  /** When it began to lack something, by the camera's clock: null: nothing is missing, NaN: with the next unit. */
  let taintedAt: number | null = NaN;
  let running: Promise<void> | null = null;
  let follower: Follower | null = null;
  /** Of the turn that it has. */
  let mark: Mark = () => undefined;
  let units = 0;
  /** By their number, of what is in the decoder. */
  const inside = new Map<number, Facts>();

  function isWhole(unit: Kept): boolean {
    if (taintedAt !== null && Number.isNaN(taintedAt)) taintedAt = unit.ptsSeconds;
    if (unit.key || (taintedAt !== null && unit.ptsSeconds - taintedAt > REFRESHED_SECONDS)) taintedAt = null;
    return taintedAt === null;
  }

  async function run(): Promise<void> {
    while (waiting.length > 0 && !signal.aborted) {
      const mine = await turn(signal);
      mark = mine.mark;
      let made: Made | null = null;
      try {
        const taken = waiting;
        [waiting, waitingBytes] = [[], 0];
        made = await decode(taken);
      } finally {
        mine.rest();
      }
      if (made) await onStill(made.still, made.ptsSeconds, made.missed);
    }
  }

  async function decode(taken: readonly (Kept & Facts)[]): Promise<Made | null> {
    let newest: { readonly shown: Shown; readonly ptsSeconds: number } | null = null;
    let wanted = 0;
    try {
      follower ??= await openFollower(codec, parameterSets(), skip, (step) => { mark(step); });
      for (const unit of taken) {
        units += 1;
        inside.set(units, unit);
        for (const shown of await follower.push(unit.bytes, units)) {
          const facts = inside.get(shown.pts);
          for (const number of inside.keys()) if (number <= shown.pts - MOST_REORDERED) inside.delete(number);
          if (!facts || !onShown(facts.ptsSeconds, facts.isWhole && !shown.isDamaged)) {
            shown.free();
            continue;
          }
          newest?.shown.free();
          wanted += 1;
          newest = { shown, ptsSeconds: facts.ptsSeconds };
        }
      }
      return newest && { still: await newest.shown.still(settings), ptsSeconds: newest.ptsSeconds, missed: wanted - 1 };
    } finally {
      newest?.shown.free();
    }
  }

  return {
    taint() {
      taintedAt ??= NaN;
    },
    push(unit) {
      if (waitingBytes > MOST_WAITING_BYTES) {
        onLetGo(waiting[0]?.ptsSeconds ?? unit.ptsSeconds);
        [waiting, waitingBytes] = [[], 0];
        taintedAt ??= NaN;
      }
      waiting.push({ ...unit, isWhole: isWhole(unit) });
      waitingBytes += unit.bytes.length;
      running ??= run().catch(fail).finally(() => { running = null; });
    },
    async close() {
      [waiting, waitingBytes] = [[], 0];
      await running;
      await follower?.close();
    },
  };
}
