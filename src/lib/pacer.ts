/** Lets those who ask go one after the other, so far apart; those that failed before do not keep the others waiting. */

export type Standing = 'well' | 'failing';

export interface Pacer {
  /** Who asks now has to wait. */
  readonly busy: boolean;
  /** Resolves when it is one's turn; early, without throwing, when the signal aborts: the turn is somebody else's then. */
  readonly turn: (standing: Standing, signal: AbortSignal) => Promise<void>;
}

/** Of turns for which both wait, one in so many is for those that fail. */
const SHARE = 4;

export function createPacer(gapMs: number): Pacer {
  const lines: Readonly<Record<Standing, Set<() => void>>> = { well: new Set(), failing: new Set() };
  let free = -Infinity;
  let isArmed = false;
  /** Turns in a row of those that are well while others waited. */
  let inARow = 0;

  function arm(): void {
    if (isArmed || lines.well.size + lines.failing.size === 0) return;
    isArmed = true;
    setTimeout(next, Math.max(0, free - performance.now()));
  }

  function next(): void {
    isArmed = false;
    const { well, failing } = lines;
    const line = failing.size === 0 || (well.size > 0 && inARow < SHARE - 1) ? well : failing;
    // Of those that are well the last to ask: a camera that was started just now has somebody who waits for its picture.
    const go = line === well ? [...line].at(-1) : [...line][0];
    if (!go) return;
    inARow = line === well && failing.size > 0 ? inARow + 1 : 0;
    line.delete(go);
    free = performance.now() + gapMs;
    go();
    arm();
  }

  const turn: Pacer['turn'] = (standing, signal) => new Promise((resolve) => {
    const line = lines[standing];
    const leave = (): void => {
      line.delete(go);
      resolve();
    };
    const go = (): void => {
      signal.removeEventListener('abort', leave);
      resolve();
    };
    if (signal.aborted) {
      resolve();
      return;
    }
    signal.addEventListener('abort', leave);
    line.add(go);
    arm();
  });

  return {
    get busy() {
      return isArmed || performance.now() < free;
    },
    turn,
  };
}
