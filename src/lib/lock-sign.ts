/** The time of a lock's folder, its owner's sign of life, as proper-lockfile reads and sets it. */
import { stat, utimesSync, type Stats } from 'node:fs';
import { hasCode } from './files.ts';

type Done = (error: Error | null, stats?: Pick<Stats, 'mtime'>) => void;

export interface SignOfLife {
  readonly stat: (folder: string, done: Done) => void;
  readonly utimes: (folder: string, atime: Date, mtime: Date, done: Done) => void;
}

/**
 * A disk that takes nothing for a while takes no lock away: the folder has its owner's name in it all along, which says on
 * this machine that the owner lives, and is looked for before each write. So what cannot be set counts as set, for as long
 * as nobody else has set another time; that the folder is gone is told.
 *
 * `isOver`: what is seen means nothing any more, and the time is not ours to set.
 */
export function createSignOfLife(isOver: () => boolean): SignOfLife {
  /** Of the folder, when it was looked at last; null: it was not, or was set since. */
  let seen: number | null = null;
  /** What is to be there. */
  let meant: Date | null = null;
  return {
    stat(folder, done) {
      stat(folder, (error, stats) => {
        if (isOver()) return;
        const before = seen;
        if (!error) seen = stats.mtime.getTime();
        const isAsBefore = error ? !hasCode(error, 'ENOENT') : seen === before;
        if (meant && isAsBefore) done(null, { mtime: meant });
        else done(error, stats);
      });
    },
    utimes(folder, atime, mtime, done) {
      try {
        // At once, so that no release comes between the look before and this.
        utimesSync(folder, atime, mtime);
        seen = null;
      } catch (error) {
        if (hasCode(error, 'ENOENT')) {
          done(error as Error);
          return;
        }
      }
      meant = mtime;
      done(null);
    },
  };
}
