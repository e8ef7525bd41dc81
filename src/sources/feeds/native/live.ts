/** Compressed pictures as they came, in fragments of MP4 that a browser plays while they come. */
import type { Mark } from './mark.ts';
import { openMp4, type Track } from './mp4.ts';

export interface Fragment {
  readonly bytes: Buffer;
  /** A viewer may begin with it, after the head. */
  readonly key: boolean;
}

export interface Muxer {
  /** What each viewer is given first. */
  readonly head: Buffer;
  /**
   * A unit (Annex B) in order of arrival, and its time in whole ticks of 1/90000 s. Resolves with the fragment of the one
   * before, which lasts until this one; null for the first.
   */
  write(bytes: Buffer, pts: number, key: boolean): Promise<Fragment | null>;
  /** Without what is left. */
  close(): Promise<void>;
}

export async function createMuxer(track: Track, mark: Mark): Promise<Muxer> {
  let written: Buffer[] = [];
  const take = (): Buffer => {
    const bytes = Buffer.concat(written);
    written = [];
    return bytes;
  };
  const file = await openMp4(track, 'empty_moov+default_base_moof+frag_every_frame+skip_trailer', (bytes) => { written.push(bytes); }, mark);
  let before: boolean | null = null;
  return {
    head: take(),
    async write(bytes, pts, key) {
      await file.write(bytes, pts, key);
      const last = before;
      before = key;
      return last === null ? null : { bytes: take(), key: last };
    },
    close: () => file.free(),
  };
}
