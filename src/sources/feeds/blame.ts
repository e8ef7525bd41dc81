/** Which cameras capture hosts die of: those get a host of their own, then ffmpeg, so that nobody shares their fate. */

/** Where a camera is captured: in a host with others, in one of its own, by ffmpeg. */
export type Place = 'shared' | 'alone' | 'ffmpeg';

export interface Blame {
  /** A host died while it was in native code for this camera. */
  died(camera: string, nowMs: number): void;
  placeOf(camera: string, nowMs: number): Place;
}

/** Deaths within this count together. */
const TOGETHER_MS = 600_000;
const UNTIL_ALONE = 2;
const UNTIL_FFMPEG = 5;
/** After so long without a death a camera is taken as any other again. */
const FORGIVEN_MS = 86_400_000;

export function createBlame(): Blame {
  const cameras = new Map<string, { readonly place: Place; readonly deaths: readonly number[] }>();
  return {
    died(camera, now) {
      const { place, deaths } = cameras.get(camera) ?? { place: 'shared', deaths: [] };
      // Once it is alone each counts, however seldom they are.
      const all = [...(place === 'shared' ? deaths.filter((ms) => now - ms < TOGETHER_MS) : deaths), now];
      cameras.set(camera, { deaths: all, place: all.length >= UNTIL_FFMPEG ? 'ffmpeg' : all.length >= UNTIL_ALONE ? 'alone' : 'shared' });
    },
    placeOf(camera, now) {
      const known = cameras.get(camera);
      if (known && now - (known.deaths.at(-1) ?? 0) > FORGIVEN_MS) cameras.delete(camera);
      return cameras.get(camera)?.place ?? 'shared';
    },
  };
}
