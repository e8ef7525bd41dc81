/** Whether an episode begins: a class was seen in so many of the last frames that a model looked at. */
import type { EventRule } from '../types.ts';
import type { Sighting } from './episode.ts';

export interface Beginnings {
  /** The model looked at a further frame. */
  looked(): void;
  /** Answers what it begins with; nothing: it does not yet. `full`: too many classes are being seen to remember this one. */
  seen(name: string, sighting: Sighting): readonly Sighting[] | 'full';
}

/** Classes that are remembered at a time. */
const MOST = 200;

export function createBeginnings({ seen, of }: EventRule['min_frames']): Beginnings {
  /** Of classes that may begin, with the number of the look. */
  const waiting = new Map<string, readonly { readonly look: number; readonly sighting: Sighting }[]>();
  let looks = 0;
  const isRecent = ({ look }: { readonly look: number }): boolean => look > looks - of;

  return {
    looked() {
      looks += 1;
    },
    seen(name, sighting) {
      if (seen === 1) return [sighting];
      const recent = [...(waiting.get(name) ?? []).filter(isRecent), { look: looks, sighting }];
      if (recent.length >= seen) {
        waiting.delete(name);
        return recent.map((one) => one.sighting);
      }
      if (!waiting.has(name) && waiting.size >= MOST) {
        for (const [other, sightings] of waiting) if (!sightings.some(isRecent)) waiting.delete(other);
        if (waiting.size >= MOST) return 'full';
      }
      waiting.set(name, recent);
      return [];
    },
  };
}
