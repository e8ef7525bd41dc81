/** Which of the pictures that a camera brings go on: one for each interval, and each in which its camera sees something else meanwhile. Passive. */

export interface Cadence {
  /** `classes`: what the camera says that it sees in a picture that comes now. */
  takes(classes: readonly string[], nowMs: number): boolean;
}

/** `intervalMs`: 0: all of them. */
export function createCadence(intervalMs: number): Cadence {
  let dueMs = -Infinity;
  /** Seen in pictures that went on since one was due. */
  let told = new Set<string>();
  return {
    takes(classes, nowMs) {
      // Who brings one in each interval is not always on time: half of one early will do, and in the long run there are no more.
      const isDue = nowMs >= dueMs - intervalMs / 2;
      if (isDue) {
        dueMs = Math.max(dueMs, nowMs) + intervalMs;
        told = new Set();
      }
      const isNew = classes.some((name) => !told.has(name));
      for (const name of classes) told.add(name);
      return isDue || isNew;
    },
  };
}
