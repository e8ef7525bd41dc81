/** Which of the pictures that a camera brings go on: one for each interval, and each in which its camera sees something else meanwhile. Passive. */

export interface Cadence {
  /** `classes`: what the camera says that it sees in a picture that comes now. Answers what gives its place to another, where it does not go on after all; null: it does not go on. */
  takes(classes: readonly string[], nowMs: number): (() => void) | null;
}

/** Classes of one interval for which a picture goes on; further ones wait for the next. */
const MOST_TOLD = 50;

/** `intervalMs`: 0: all of them. */
export function createCadence(intervalMs: number): Cadence {
  let dueMs = -Infinity;
  /** Seen in pictures that went on since one was due. */
  let told = new Set<string>();
  return {
    takes(classes, nowMs) {
      const before = dueMs;
      // Who brings one in each interval is not always on time: half of one early will do, and in the long run there are no more.
      const isDue = nowMs >= dueMs - intervalMs / 2;
      if (isDue) {
        dueMs = Math.max(dueMs, nowMs) + intervalMs;
        told = new Set();
      }
      const added = [...new Set(classes)].filter((name) => !told.has(name)).slice(0, MOST_TOLD - told.size);
      if (!isDue && added.length === 0) return null;
      for (const name of added) told.add(name);
      const [ownDueMs, ownTold] = [dueMs, told];
      return () => {
        if (isDue && dueMs === ownDueMs) dueMs = before;
        for (const name of added) ownTold.delete(name);
      };
    },
  };
}
