/** Decodes key frames, each by itself, in turns: of those that wait, only the newest. */
import { decodeStill } from '../native/still.ts';
import type { JpegSettings, Still } from '../native/jpeg.ts';
import type { Codec } from '../../rtp/unit.ts';
import type { Kept } from './group.ts';
import { createNewest } from './newest.ts';
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
  const newest = createNewest<Kept & { readonly tolerant: boolean }>(async (take) => {
    const { mark, rest } = await turn(signal);
    const taken = take();
    let still: Still | null = null;
    try {
      if (taken) still = await decodeStill(codec, taken.item.bytes, settings, mark, taken.item.tolerant);
    } finally {
      rest();
    }
    if (taken) await onStill(still, taken.item.ptsSeconds, taken.missed);
  }, fail);
  return {
    show(unit, tolerant = false) { newest.give({ ...unit, tolerant }); },
    close: () => newest.close(),
  };
}
