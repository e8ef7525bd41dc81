/** Work of which one result does for all who ask for it at about the same time. */
import type { Clock } from './clock.ts';

/** Who asks while it is done, or up to `ms` after, has the same result; a failure is shared by those alone who waited for it. */
export function shared<Result>(ms: number, clock: Pick<Clock, 'monotonic'>, work: () => Promise<Result>): () => Promise<Result> {
  let last: { readonly result: Promise<Result>; until: number } | null = null;
  return () => {
    if (last && clock.monotonic() < last.until) return last.result;
    const own = { result: work(), until: Infinity };
    last = own;
    own.result.then(() => { own.until = clock.monotonic() + ms; }, () => { own.until = -Infinity; });
    return own.result;
  };
}
