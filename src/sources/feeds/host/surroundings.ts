/** What a capture host lends to its feeds. */
import type { FeedPicture } from '../messages.ts';
import type { Mark } from '../native/mark.ts';
import type { Tape } from './tape/tape.ts';

export interface Turn {
  /** What is about to be done in native code, for whoever looks when this process has died in it. */
  readonly mark: Mark;
  /** Gives the processor back. */
  readonly rest: () => void;
}

export interface Surroundings {
  /** Resolves when this feed may use a processor. Throws the signal's reason. */
  readonly turn: (signal: AbortSignal) => Promise<Turn>;
  readonly deliver: (picture: FeedPicture) => void;
  readonly tape: Tape;
}
