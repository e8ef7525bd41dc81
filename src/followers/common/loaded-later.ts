/** A follower whose client takes a tenth of a second and megabytes to load, of which only who delivers there is to have them. */
import type { Follower } from '../../types.ts';

export function loadedLater(load: () => Promise<Follower>): Follower {
  let made: Promise<Follower> | null = null;
  const follower = (): Promise<Follower> => (made ??= load().catch((error: unknown) => {
    made = null;
    throw error;
  }));
  return {
    deliver: async (items, signal) => (await follower()).deliver(items, signal),
    isSent: async (item) => (await (await follower()).isSent?.(item)) ?? true,
    test: async (signal) => (await follower()).test(signal),
    close: async () => { await (await made)?.close(); },
  };
}
