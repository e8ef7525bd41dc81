/** The time of a lock's folder, its owner's sign of life, as proper-lockfile reads and sets it. */
import { stat, utimes, type Stats } from 'node:fs';
import { hasCode } from './files.ts';

type Done = (error: Error | null, stats?: Pick<Stats, 'mtime'>) => void;

export interface SignOfLife {
  /** For proper-lockfile. */
  readonly fs: {
    readonly stat: (folder: string, done: Done) => void;
    readonly utimes: (folder: string, atime: Date, mtime: Date, done: Done) => void;
  };
  /** Resolves when none is on its way to the disk. */
  settled(): Promise<void>;
}

/**
 * A disk that takes nothing for a while takes no lock away: the folder has its owner's name in it all along, which says on
 * this machine that the owner lives, and is looked for before each write. So what cannot be set counts as set, for as long
 * as nobody else has set another time; that the folder is gone is told.
 *
 * `isOver`: what is seen means nothing any more, and the time is not ours to set.
 */
export function createSignOfLife(isOver: () => boolean): SignOfLife {
  /** The folder's, when it was looked at last. */
  let seen: number | null = null;
  /** What proper-lockfile takes for the folder's. */
  let told: Date | null = null;
  let isOwed = false;
  let giving: Promise<void> = Promise.resolve();
  return {
    fs: {
      stat(folder, done) {
        stat(folder, (error, stats) => {
          if (isOver()) return;
          const before = seen;
          if (!error) seen = stats.mtime.getTime();
          const isAsBefore = error ? !hasCode(error, 'ENOENT') : isOwed && seen === before;
          if (told && isAsBefore) {
            done(null, { mtime: told });
            return;
          }
          if (!error) told = stats.mtime;
          done(error, stats);
        });
      },
      utimes(folder, atime, mtime, done) {
        giving = new Promise((resolve) => {
          utimes(folder, atime, mtime, (error) => {
            resolve();
            isOwed = error !== null;
            told = mtime;
            done(error && hasCode(error, 'ENOENT') ? error : null);
          });
        });
      },
    },
    settled: () => giving,
  };
}
