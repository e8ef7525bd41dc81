/** Times of a camera's episodes that have ended: what is seen then, and heard of later, is no other episode. */

export interface Covered {
  add(name: string, from: number, to: number, monotonic: number): void;
  /** One of an earlier run. */
  restore(name: string, from: number, to: number): void;
  /**
   * What was captured just now can only be late by as long as a model takes. Longer ago, or before Lookout began, a clock was
   * set back, and it is something new.
   */
  has(name: string, time: number, isLive: boolean, monotonic: number): boolean;
  /** From the end of the one before to the beginning of the one after: what is seen then can be no part of them. */
  room(name: string, time: number): { readonly after: number; readonly before: number };
  state(monotonic: number): readonly CoveredState[];
}

export type CoveredState = readonly [name: string, from: number, to: number];

interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly noted: number;
  readonly isRestored: boolean;
}

const MOST = 100;
const LATE_MS = 600_000;
/** Looks are repeated when a crash comes before their record is written: the disk may be full for that long. */
const KEPT_MS = 3 * 3_600_000;

export function createCovered(state: readonly CoveredState[], monotonic: number): Covered {
  const spans: Span[] = [];
  let newest = -Infinity;

  function keep(span: Span): void {
    spans.push(span);
    newest = Math.max(newest, span.to);
    if (spans.length > MOST) spans.shift();
  }
  const restore: Covered['restore'] = (name, from, to) => { keep({ name, from, to, noted: monotonic, isRestored: true }); };
  for (const span of state) restore(...span);

  return {
    restore,
    add(name, from, to, noted) {
      keep({ name, from, to, noted, isRestored: false });
    },
    has: (name, time, isLive, now) =>
      time <= newest && spans.some((span) => span.name === name && time >= span.from && time <= span.to && !(isLive && (span.isRestored || now - span.noted >= LATE_MS))),
    room(name, time) {
      const own = spans.filter((span) => span.name === name);
      return {
        after: Math.max(-Infinity, ...own.filter(({ to }) => to <= time).map(({ to }) => to)),
        before: Math.min(Infinity, ...own.filter(({ from }) => from > time).map(({ from }) => from)),
      };
    },
    state: (now) => spans.filter(({ noted }) => now - noted < KEPT_MS).map(({ name, from, to }) => [name, from, to]),
  };
}
