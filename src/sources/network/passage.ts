/** The way from ffmpeg to a camera: an address of this machine that ffmpeg opens, and what stands behind it. */
import type { LookoutError } from '../../errors.ts';

export interface Passage {
  /** What ffmpeg opens. It holds no secret of the camera's. */
  readonly url: string;
  /** What an RTMP server is to be told that was opened, where that is not `url`. */
  readonly tcUrl?: string;
  /** What ffmpeg cannot know of its end; null: nothing. */
  failure(): LookoutError | null;
  /** Resolves when the camera's connection is gone. */
  close(): Promise<void>;
}

/** Opens it, connected. Throws what keeps it from being. */
export type OpenPassage = (signal: AbortSignal) => Promise<Passage>;
