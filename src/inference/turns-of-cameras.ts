/**
 * Whose turn it is: the camera that had the fewest looks lately goes first, so that cameras which want more than their
 * share get the same, and those which want less get all they want. Sessions do not count: a stream that is started anew
 * is the camera that it was.
 *
 * Each camera has a count of its looks. One that comes back after a pause goes on from where the others are: nobody saves
 * up turns, and nobody owes any.
 */
export interface TurnsOfCameras {
  /** The camera wants a turn from now on. */
  enter(camera: string): void;
  /** It wants none any more. */
  leave(camera: string): void;
  /** Whether one of two that want a turn goes before the other. */
  isBefore(one: string, other: string): boolean;
  /** So many of its frames are being looked at. */
  served(camera: string, frames: number): void;
}

interface Account {
  looks: number;
  /** When it was served last, counted in turns. */
  turn: number;
  waiting: boolean;
}

export function createTurnsOfCameras(): TurnsOfCameras {
  const accounts = new Map<string, Account>();
  /** How far they have come: what the camera had whose turn was last. */
  let reached = 0;
  let turns = 0;

  return {
    enter(camera) {
      const known = accounts.get(camera);
      if (known?.waiting === true) return;
      accounts.set(camera, { looks: Math.max(known?.looks ?? 0, reached), turn: known?.turn ?? 0, waiting: true });
    },
    leave(camera) {
      const own = accounts.get(camera);
      if (!own) return;
      own.waiting = false;
      for (const [id, { waiting, looks }] of accounts) if (!waiting && looks <= reached) accounts.delete(id);
    },
    isBefore(one, other) {
      const [a, b] = [accounts.get(one), accounts.get(other)];
      return a !== undefined && b !== undefined && (a.looks - b.looks || a.turn - b.turn) < 0;
    },
    served(camera, frames) {
      const own = accounts.get(camera);
      if (!own) return;
      reached = Math.max(reached, own.looks);
      turns += 1;
      own.turn = turns;
      own.looks += frames;
    },
  };
}
