/** Brings once more what was set aside, for whoever asks for it. */
import type { Follower } from '../types.ts';
import type { Aside } from './aside.ts';

/** A target on which so many fall over in a row may be away: each of the others would wait for it. */
const GIVE_UP = 3;

/** Resolves with how many were taken, `took` is told of each. Throws the signal's reason, and where none was taken why the last one was not. */
export type Retry = (signal: AbortSignal) => Promise<number>;

export function createRetry(aside: Aside, follower: Pick<Follower, 'deliver'>, took: () => void): Retry {
  /** Files in the order in which they failed: these go last, so that whatever stays in the way is passed the next time. */
  let failed: readonly string[] = [];

  async function bring(file: string, signal: AbortSignal): Promise<boolean> {
    const item = await aside.read(file);
    if (!item) return false;
    const refused = await follower.deliver([{ ...item, asked: true }], signal);
    if (refused.length > 0) return false;
    await aside.remove(file);
    took();
    return true;
  }

  return async (signal) => {
    const there = await aside.list();
    failed = failed.filter((file) => there.includes(file));
    const files = [...there.filter((file) => !failed.includes(file)), ...failed];
    let [taken, inARow] = [0, 0];
    let last: Error | null = null;
    for (const file of files) {
      try {
        if (await bring(file, signal)) taken += 1;
        failed = failed.filter((one) => one !== file);
        inARow = 0;
      } catch (error) {
        signal.throwIfAborted();
        failed = [...failed.filter((one) => one !== file), file];
        inARow += 1;
        last = error as Error;
        if (inARow === GIVE_UP) break;
      }
    }
    if (taken === 0 && last) throw last;
    return taken;
  };
}
