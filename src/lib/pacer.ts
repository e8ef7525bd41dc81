/** Lets those who ask go one after the other, so far apart; those that failed before do not keep the others waiting. */

export type Standing = 'well' | 'failing';

/** Resolves when it is one's turn; early, without throwing, when the signal aborts: the turn is somebody else's then. */
export type Pace = (standing: Standing, signal: AbortSignal) => Promise<void>;

/** Of turns for which both wait, one in so many is for those that fail. */
const SHARE = 4;

export function createPacer(gapMs: number): Pace {
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
    const [go] = line;
    if (!go) return;
    inARow = line === well && failing.size > 0 ? inARow + 1 : 0;
    line.delete(go);
    free = performance.now() + gapMs;
    go();
    arm();
  }

  return (standing, signal) => new Promise((resolve) => {
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
}
