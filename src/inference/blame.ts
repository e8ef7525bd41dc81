/** Whose fault it is that a frame, alone in its call, ended the runner: its camera's, or after several cameras in a row the model's. Passive. */

export interface Blame {
  /** The camera brought a frame. */
  seen(camera: string, now: number): void;
  /** True: the model's. */
  ended(camera: string, now: number): boolean;
  /** The runner has answered. */
  answered(): void;
}

/** Cameras in a row, without an answer between; or all that there are. */
const CAMERAS = 3;
/** A camera that brought nothing for so long is not there. */
const ABSENT_MS = 300_000;

export function createBlame(): Blame {
  const suspects = new Set<string>();
  const lastSeen = new Map<string, number>();
  return {
    seen: (camera, now) => { lastSeen.set(camera, now); },
    ended(camera, now) {
      suspects.add(camera);
      for (const [id, at] of lastSeen) if (at < now - ABSENT_MS) lastSeen.delete(id);
      return suspects.size >= Math.min(CAMERAS, lastSeen.size);
    },
    answered: () => { suspects.clear(); },
  };
}
