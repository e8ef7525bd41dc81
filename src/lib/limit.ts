/** Work of which only so much is done at a time, in the order in which it was asked for. */
export type Limit = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createLimit(most: number): Limit {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy < most) busy += 1;
    else await new Promise<void>((resolve) => { waiting.push(resolve); });
    try {
      return await work();
    } finally {
      // Its place is the next one's.
      const next = waiting.shift();
      if (next) next();
      else busy -= 1;
    }
  };
}
