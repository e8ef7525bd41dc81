/** A clip: compressed pictures as they came, in an MP4 file whose index stands first, so that it plays before it is there. */
import type { Mark } from './mark.ts';
import { openMp4, type Track } from './mp4.ts';

export interface ClipWriter {
  /** A unit (Annex B) in order of arrival, the first of them a key frame, and its time in whole ticks of 1/90000 s. */
  write(bytes: Buffer, pts: number, key: boolean): Promise<void>;
  /** The file is whole. */
  end(): Promise<void>;
  /** In any case, at the end. What was not ended is no file to keep. */
  close(): Promise<void>;
}

/** Writes `file`, an absolute path, as it goes. Throws `disk_full`, `disk_failed`. */
export async function openClip(file: string, track: Track, mark: Mark): Promise<ClipWriter> {
  const mp4 = await openMp4(track, 'faststart', file, mark);
  return { write: (bytes, pts, key) => mp4.write(bytes, pts, key), end: () => mp4.end(), close: () => mp4.free() };
}
