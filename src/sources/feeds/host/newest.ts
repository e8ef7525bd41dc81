/** Work that is done one after the other, and for the newest alone of those that wait. */
export interface Newest<Item> {
  give(item: Item): void;
  /** Resolves when nothing is being done any more; what waits is let go. */
  close(): Promise<void>;
}

/** `missed`: those before it whose turn did not come. */
export function createNewest<Item>(work: (item: Item, missed: number) => Promise<void>, fail: (error: unknown) => void): Newest<Item> {
  let waiting: { readonly item: Item } | null = null;
  let missed = 0;
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    try {
      while (waiting) {
        const [{ item }, before] = [waiting, missed] as const;
        [waiting, missed] = [null, 0];
        await work(item, before);
      }
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
