/** Lets those who ask go one after the other, as far apart as what each begins keeps a processor busy; those that failed before do not keep the others waiting. */

/** `awaited`: somebody asks for its pictures at this moment. */
export type Standing = 'awaited' | 'well' | 'failing';

export interface Pacer {
  /** Who asks now has to wait. */
  readonly busy: boolean;
  /**
   * Resolves when it is one's turn; early, without throwing, when the signal aborts: the turn is somebody else's then.
   * `ms`: so long a processor is busy with what begins then.
   */
  readonly turn: (standing: Standing, ms: number, signal: AbortSignal) => Promise<void>;
}

/** Of turns for which both wait, one in so many is for those that are not awaited; and of these one for those that fail. */
const SHARE = 4;

interface Waiting {
  readonly ms: number;
  go(): void;
}

export function createPacer(processors: number): Pacer {
  const lines: Readonly<Record<Standing, Set<Waiting>>> = { awaited: new Set(), well: new Set(), failing: new Set() };
  let free = -Infinity;
  let isArmed = false;
  /** Turns in a row while others waited, for which these made way. */
  const inARow = { awaited: 0, well: 0 };

  function arm(): void {
    if (isArmed || lines.awaited.size + lines.well.size + lines.failing.size === 0) return;
    isArmed = true;
    setTimeout(next, Math.max(0, free - performance.now()));
  }

  function next(): void {
    isArmed = false;
    const standing = whose();
    const line = lines[standing];
    // Of those that are well the last to ask: a camera that was started just now has somebody who waits for its picture.
    const first = standing === 'well' ? [...line].at(-1) : [...line][0];
    if (!first) return;
    line.delete(first);
    free = performance.now() + first.ms / processors;
    first.go();
    arm();
  }

  function whose(): Standing {
    const others = lines.well.size + lines.failing.size;
    if (goesFirst('awaited', others)) return 'awaited';
    return goesFirst('well', lines.failing.size) ? 'well' : 'failing';
  }

  /** As long as it is not for too long that others wait. */
  function goesFirst(standing: 'awaited' | 'well', others: number): boolean {
    const isFirst = lines[standing].size > 0 && (others === 0 || inARow[standing] < SHARE - 1);
    inARow[standing] = isFirst && others > 0 ? inARow[standing] + 1 : 0;
    return isFirst;
  }

  const turn: Pacer['turn'] = (standing, ms, signal) => new Promise((resolve) => {
    const line = lines[standing];
    const leave = (): void => {
      line.delete(waiting);
      resolve();
    };
    const waiting: Waiting = {
      ms,
      go() {
        signal.removeEventListener('abort', leave);
        resolve();
      },
    };
    if (signal.aborted) {
      resolve();
      return;
    }
    signal.addEventListener('abort', leave);
    line.add(waiting);
    arm();
  });

  return {
    get busy() {
      return isArmed || performance.now() < free;
    },
    turn,
  };
}
