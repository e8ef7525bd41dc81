/** Time stamps of 32 bits as times that go on: each is near the one before, ahead or behind. */

/** Seconds from the first one, which is 0. */
export function createTimestamps(clockRate: number): (timestamp: number) => number {
  let last: number | null = null;
  let ticks = 0;
  return (timestamp) => {
    if (last !== null) ticks += (timestamp - last) | 0;
    last = timestamp;
    return ticks / clockRate;
  };
}
