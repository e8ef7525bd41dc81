/** Work that is done one after the other, and for the newest alone of those that wait when it is ready for one. */
export interface Newest<Item> {
  give(item: Item): void;
  /** Resolves when nothing is being done any more; what waits is let go. */
  close(): Promise<void>;
}

export interface Taken<Item> {
  readonly item: Item;
  /** Those before it whose turn did not come. */
  readonly missed: number;
}

/** `work` takes the newest once it is ready; null: it was let go meanwhile. What it throws goes to `fail`. */
export function createNewest<Item>(work: (take: () => Taken<Item> | null) => Promise<void>, fail: (error: unknown) => void): Newest<Item> {
  let waiting: { readonly item: Item } | null = null;
  let missed = 0;
  let running: Promise<void> | null = null;

  function take(): Taken<Item> | null {
    const taken = waiting && { ...waiting, missed };
    if (taken) [waiting, missed] = [null, 0];
    return taken;
  }

  async function run(): Promise<void> {
    try {
      while (waiting) await work(take);
    } catch (error) {
      fail(error);
    } finally {
      running = null;
    }
  }

  return {
    give(item) {
      if (waiting) missed += 1;
      waiting = { item };
      running ??= run();
    },
    async close() {
      waiting = null;
      await running;
    },
  };
}
