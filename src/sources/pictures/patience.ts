/** Ends a capture that has gone silent. */
import { LookoutError } from '../../errors.ts';

/** Until the first picture. */
export const FIRST_PICTURE_MS = 15_000;

export interface Patience {
  /** What comes next must come within this time; `inWords` says what did not. */
  wait(ms: number, inWords?: () => string): void;
  /** Nothing is waited for. */
  rest(): void;
  /** Aborts with `stream_stalled` when the time is over. */
  readonly signal: AbortSignal;
}

export function createPatience(): Patience {
  const stalled = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const rest = (): void => { clearTimeout(timer); };
  return {
    signal: stalled.signal,
    rest,
    wait(ms, inWords = () => 'no picture came') {
      rest();
      timer = setTimeout(() => {
        stalled.abort(new LookoutError('stream_stalled', `${inWords()} for ${(ms / 1000).toFixed(0)} s`));
      }, ms);
    },
  };
}
