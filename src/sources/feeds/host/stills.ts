/** Decodes key frames, each by itself, in turns: of those that wait, only the newest. */
import { decodeStill } from '../native/still.ts';
import type { JpegSettings, Still } from '../native/jpeg.ts';
import type { Codec } from '../../rtp/unit.ts';
import type { Kept } from './group.ts';
import type { Surroundings } from './surroundings.ts';

export interface Stills {
  /** `tolerant`: also where but a part of it can be decoded. */
  show(unit: Kept, tolerant?: boolean): void;
  /** Resolves when nothing is being decoded any more. */
  close(): Promise<void>;
}

interface Ears {
  /** null: the unit yields no picture by itself. `missed`: those before it whose turn did not come. */
  readonly onStill: (still: Still | null, ptsSeconds: number, missed: number) => Promise<void>;
  readonly fail: (error: unknown) => void;
}

export function createStills(codec: Codec, settings: JpegSettings, { turn }: Surroundings, { onStill, fail }: Ears, signal: AbortSignal): Stills {
  let waiting: (Kept & { readonly tolerant: boolean }) | null = null;
  let missed = 0;
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    while (waiting && !signal.aborted) {
      const { mark, rest } = await turn(signal);
      const [unit, before] = [waiting, missed] as const;
      [waiting, missed] = [null, 0];
      let still: Still | null;
      try {
        still = await decodeStill(codec, unit.bytes, settings, mark, unit.tolerant);
      } finally {
        rest();
      }
      await onStill(still, unit.ptsSeconds, before);
    }
  }

  return {
    show(unit, tolerant = false) {
      if (waiting) missed += 1;
      waiting = { ...unit, tolerant };
      running ??= run().catch(fail).finally(() => { running = null; });
    },
    async close() {
      waiting = null;
      await running;
    },
  };
}
