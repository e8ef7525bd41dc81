/** What the engine of events is told: looks, and the time. */
import type { EventEntry, EventItem, Frame, Look, StreamRef } from '../types.ts';

/** As a Clock says it. */
export interface Moment {
  /** Milliseconds since 1970: it may be set back. */
  readonly now: number;
  /** Milliseconds that only go on. */
  readonly monotonic: number;
}

/** What a model says of a frame, of each stream and model in the order of capture. */
export interface Seen {
  readonly stream: StreamRef;
  readonly frame: Frame;
  readonly model: string;
  readonly look: Look;
  readonly section: string;
  /** The section counts as a complaint. */
  readonly complains: boolean;
  readonly place: { readonly latitude: number; readonly longitude: number } | null;
}

/** What follows from what it was told. */
export interface Told {
  /** For the log, in this order. Neither pictures nor clips are named in them. */
  readonly items: readonly EventItem[];
  /** Frames that are the best of their event from now on: who keeps pictures keeps these at once. `facts`: of what it shows. */
  readonly best: readonly { readonly event: string; readonly frame: Frame; readonly facts: EventEntry['best'] }[];
}
