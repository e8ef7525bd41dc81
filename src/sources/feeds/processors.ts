/** Gives out this machine's processors for decoding, one for each of its cores: whoever waits longest goes first. */
export interface Processors {
  /** `begin` is called when one is free, perhaps at once. Answers how it is given back, or waited for no more. */
  ask(begin: () => void): () => void;
}

export function createProcessors(count: number): Processors {
  const waiting = new Set<() => void>();
  const busy = new Set<() => void>();

  function next(): void {
    for (const begin of waiting) {
      if (busy.size >= count) return;
      waiting.delete(begin);
      busy.add(begin);
      begin();
    }
  }

  return {
    ask(begin) {
      // The same function may ask twice.
      const own = (): void => { begin(); };
      waiting.add(own);
      next();
      return () => {
        waiting.delete(own);
        if (busy.delete(own)) next();
      };
    },
  };
}
